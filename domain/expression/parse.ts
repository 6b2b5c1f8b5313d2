import { type Token, tokensOf } from './tokens.ts'
import {
  ExpressionProblem,
  FUNCTIONS,
  type FunctionName,
  type Operator,
  type Tree,
} from './tree.ts'
import { decimal } from './value.ts'

// Deeper than anybody nests by hand, and far from the end of the stack.
const DEEPEST = 32

const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])
// Weakest first; a comparison stands alone: a < b < c is refused, not misread.
const LEVELS: readonly (readonly string[])[] = [['or'], ['and']]
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>=', 'in', 'not in']
const SYNONYMS = new Map([
  ['&&', 'and'],
  ['||', 'or'],
])

/** The tree of an expression (docs/reactors.md has the grammar). Throws ExpressionProblem, with the position. */
export function parseExpression(source: string): Tree {
  const reader = new Reader(tokensOf(source))
  const tree = reader.expression()
  reader.end()
  return tree
}

class Reader {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  expression(): Tree {
    return this.#deeper(() => this.#joined(0))
  }

  end(): void {
    if (this.#peek().kind !== 'end') this.#unexpected()
  }

  #joined(level: number): Tree {
    const operators = LEVELS[level]
    if (operators === undefined) return this.#denied()
    return this.#chain(operators, () => this.#joined(level + 1))
  }

  #denied(): Tree {
    const { at } = this.#peek()
    if (!this.#takes('not') && !this.#takes('!')) return this.#compared()
    return { kind: 'not', at, of: this.#deeper(() => this.#denied()) }
  }

  #compared(): Tree {
    const left = this.#sum()
    const { at } = this.#peek()
    const operator = this.#operator(COMPARISONS)
    if (operator === undefined) return left
    const tree: Tree = { kind: 'operation', at, operator, left, right: this.#sum() }
    if (this.#operator(COMPARISONS) !== undefined) {
      throw new ExpressionProblem('comparisons do not chain: join them with and', this.#before().at)
    }
    return tree
  }

  #sum(): Tree {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/', '%'], () => this.#signed()))
  }

  #signed(): Tree {
    const { at } = this.#peek()
    if (!this.#takes('-')) return this.#primary()
    return { kind: 'negative', at, of: this.#deeper(() => this.#signed()) }
  }

  #primary(): Tree {
    const token = this.#take()
    const { kind, text, at } = token
    if (kind === 'number') {
      const value = decimal(text)
      if (value === null) throw new ExpressionProblem('the number is too large', at)
      return { kind: 'value', at, value }
    }
    if (kind === 'string') return { kind: 'value', at, value: text }
    if (kind === 'word') return this.#word(token)
    if (kind === 'sign' && text === '(') {
      const tree = this.expression()
      this.#expect(')')
      return tree
    }
    if (kind === 'sign' && text === '[') return { kind: 'list', at, items: this.#items(']') }
    if (kind === 'sign' && text === '$') return this.#path(at)
    return this.#unexpected(token)
  }

  #word({ text, at }: Token): Tree {
    const value = WORDS.get(text)
    if (value !== undefined) return { kind: 'value', at, value }
    const name = FUNCTIONS.find((one) => one === text)
    if (name === undefined) throw new ExpressionProblem(`there is no ${text}`, at)
    this.#expect('(')
    return this.#call(name, at, this.#items(')'))
  }

  #call(name: FunctionName, at: number, of: Tree[]): Tree {
    const most = name === 'min' || name === 'max' ? of.length : name === 'round' ? 2 : 1
    if (of.length === 0 || of.length > most) {
      throw new ExpressionProblem(`${name} takes ${most < 2 ? 'one value' : 'other values'}`, at)
    }
    return { kind: 'call', at, name, of }
  }

  #items(close: string): Tree[] {
    const items: Tree[] = []
    if (this.#takes(close)) return items
    do items.push(this.expression())
    while (this.#takes(','))
    this.#expect(close)
    return items
  }

  #path(at: number): Tree {
    const steps: (string | number)[] = []
    let text = '$'
    for (;;) {
      if (this.#takes('.')) {
        const step = this.#take()
        if (step.kind !== 'word') this.#unexpected(step)
        steps.push(step.text)
        text += `.${step.text}`
      } else if (this.#takes('[')) {
        const step = this.#take()
        const isIndex = step.kind === 'number' && /^\d{1,6}$/.test(step.text)
        if (!isIndex && step.kind !== 'string') this.#unexpected(step)
        steps.push(isIndex ? Number(step.text) : step.text)
        text += `[${isIndex ? step.text : JSON.stringify(step.text)}]`
        this.#expect(']')
      } else {
        return { kind: 'path', at, steps, text }
      }
    }
  }

  #chain(operators: readonly string[], operand: () => Tree): Tree {
    let left = operand()
    for (;;) {
      const { at } = this.#peek()
      const operator = this.#operator(operators)
      if (operator === undefined) return left
      left = { kind: 'operation', at, operator, left, right: operand() }
    }
  }

  /** One of these operators, taken where it stands next. */
  #operator(among: readonly string[]): Operator | undefined {
    const { kind, text } = this.#peek()
    if (kind === 'string' || kind === 'number' || kind === 'end') return undefined
    const after = this.#tokens[this.#next + 1]
    const isNotIn = text === 'not' && after?.kind === 'word' && after.text === 'in'
    const name = isNotIn ? 'not in' : (SYNONYMS.get(text) ?? text)
    if (!among.includes(name)) return undefined
    this.#next += isNotIn ? 2 : 1
    return name as Operator // among lists operators only
  }

  #deeper(read: () => Tree): Tree {
    if (++this.#depth > DEEPEST) {
      throw new ExpressionProblem(`nested deeper than ${DEEPEST}`, this.#peek().at)
    }
    const tree = read()
    this.#depth--
    return tree
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? this.#before()
  }

  #before(): Token {
    return this.#tokens[this.#next - 1] ?? { kind: 'end', text: 'the end', at: 1 }
  }

  #take(): Token {
    const token = this.#peek()
    this.#next++
    return token
  }

  #takes(text: string): boolean {
    const { kind, text: next } = this.#peek()
    if ((kind !== 'sign' && kind !== 'word') || next !== text) return false
    this.#next++
    return true
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw new ExpressionProblem(`expected ${text}`, this.#peek().at)
  }

  #unexpected({ kind, text, at }: Token = this.#peek()): never {
    throw new ExpressionProblem(`unexpected ${kind === 'string' ? JSON.stringify(text) : text}`, at)
  }
}

const parsed = new Map<string, Tree>()
const MOST_KEPT = 5_000 // every expression of a busy server's reactors, some 10 MB at most

/** The expression's tree, parsed once for its text. Throws ExpressionProblem. */
export function parsedExpression(source: string): Tree {
  const known = parsed.get(source)
  if (known !== undefined) return known
  const tree = parseExpression(source)
  const oldest = parsed.size >= MOST_KEPT ? parsed.keys().next().value : undefined
  if (oldest !== undefined) parsed.delete(oldest)
  parsed.set(source, tree)
  return tree
}
