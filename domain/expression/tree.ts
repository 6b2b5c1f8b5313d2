import type { Rational } from './value.ts'

export const FUNCTIONS = ['min', 'max', 'floor', 'ceil', 'round', 'abs'] as const
export type FunctionName = (typeof FUNCTIONS)[number]

export type Operator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | 'not in'
  | 'and'
  | 'or'

/** An expression once parsed. `at` is the position, from 1, that an error names. */
export type Tree = { readonly at: number } & (
  | { readonly kind: 'value'; readonly value: Rational | string | boolean | null }
  | { readonly kind: 'path'; readonly steps: readonly (string | number)[]; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'not' | 'negative'; readonly of: Tree }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly of: readonly Tree[] }
  | {
      readonly kind: 'operation'
      readonly operator: Operator
      readonly left: Tree
      readonly right: Tree
    }
)

/** What is wrong with an expression, and where: the position counts from 1. */
export class ExpressionProblem extends Error {
  readonly position: number

  constructor(message: string, position: number) {
    super(`${message} (at ${position})`)
    this.name = 'ExpressionProblem'
    this.position = position
  }
}
