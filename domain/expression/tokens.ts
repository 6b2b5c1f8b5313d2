import { ExpressionProblem } from './tree.ts'

export type Token = {
  readonly kind: 'number' | 'string' | 'word' | 'sign' | 'end'
  /** As written; for a string what it says. */
  readonly text: string
  /** From 1. */
  readonly at: number
}

/** Room for a rule that a person can still read. */
export const MOST_CHARACTERS = 500

const SPACE = /[ \t\r\n]+/y
const NUMBER = /\d+(?:\.\d+)?/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const SIGN = /==|!=|<=|>=|&&|\|\||[-+*/%<>!(),.[\]$]/y
const TEXT = /"((?:[^"\\\n]|\\["\\])*)"|'((?:[^'\\\n]|\\['\\])*)'/y

/** The expression's tokens, the end among them. Throws ExpressionProblem. */
export function tokensOf(source: string): Token[] {
  if (source.length > MOST_CHARACTERS) {
    throw new ExpressionProblem(`longer than ${MOST_CHARACTERS} characters`, MOST_CHARACTERS + 1)
  }
  const tokens: Token[] = []
  let place = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = place
    const match = pattern.exec(source)
    if (match !== null) place += match[0].length
    return match
  }
  while (place < source.length) {
    if (take(SPACE) !== null) continue
    const at = place + 1
    const next = read(take)
    if (next === null) throw new ExpressionProblem(`unexpected ${shown(source, place)}`, at)
    tokens.push({ ...next, at })
  }
  return [...tokens, { kind: 'end', text: 'the end', at: source.length + 1 }]
}

function read(take: (pattern: RegExp) => RegExpExecArray | null): Omit<Token, 'at'> | null {
  const number = take(NUMBER)
  if (number !== null) return { kind: 'number', text: number[0] }
  const word = take(WORD)
  if (word !== null) return { kind: 'word', text: word[0] }
  const string = take(TEXT)
  if (string !== null) {
    const text = (string[1] ?? string[2] ?? '').replaceAll(/\\(.)/g, '$1')
    return { kind: 'string', text }
  }
  const sign = take(SIGN)
  return sign && { kind: 'sign', text: sign[0] }
}

function shown(source: string, place: number): string {
  const sign = String.fromCodePoint(source.codePointAt(place) ?? 0)
  return sign === '"' || sign === "'" ? 'an unclosed string' : JSON.stringify(sign)
}
