import type { Payload } from './payload.ts'
import { ExpressionProblem, type Operator, type Tree } from './tree.ts'
import {
  add,
  ceil,
  compare,
  divide,
  floor,
  isList,
  isRational,
  isSmall,
  multiply,
  type Rational,
  rational,
  rationalOf,
  round,
  shown,
  subtract,
  type Value,
} from './value.ts'

const MOST_PLACES = 10 // of round(x, places): beyond any currency's
const LARGE_STEPS = 50 // what reducing a fraction of 512 bits takes, in additions of small numbers

type Run = { readonly payload: Payload; readonly seen: Map<string, Value> }

/** What an expression gave, and what the paths in it found, for explaining it. */
type Result = { readonly value: Value; readonly seen: ReadonlyMap<string, Value> }

/**
 * What the expression says of the payload (a parsed JSON document, which `$` names). Bounded, by itself
 * and with all others of that payload. Throws ExpressionProblem, with the position, where it says
 * nothing: wrong kinds, division by zero.
 */
export function evaluate(tree: Tree, payload: Payload): Result {
  const run: Run = { payload, seen: new Map() }
  payload.begin()
  return { value: valued(tree, run), seen: run.seen }
}

function valued(tree: Tree, run: Run): Value {
  step(run, tree, 1)
  switch (tree.kind) {
    case 'value':
      return tree.value
    case 'path':
      return found(tree, run)
    case 'list':
      return tree.items.map((item) => valued(item, run))
    case 'not':
      return !truth(valued(tree.of, run), tree)
    case 'negative':
      return sized(subtract({ n: 0n, d: 1n }, number(valued(tree.of, run), tree)), tree)
    case 'call':
      return called(tree, run)
    case 'operation':
      return operated(tree, run)
  }
}

function operated(tree: Extract<Tree, { kind: 'operation' }>, run: Run): Value {
  const { operator } = tree
  const left = valued(tree.left, run)
  if (operator === 'and' || operator === 'or') {
    const first = truth(left, tree)
    return first === (operator === 'or') ? first : truth(valued(tree.right, run), tree)
  }
  const right = valued(tree.right, run)
  if (operator === '==' || operator === '!=') {
    return equal(left, right, tree, run) === (operator === '==')
  }
  if (operator === 'in' || operator === 'not in') {
    if (!isList(right))
      throw new ExpressionProblem(`${operator} needs a list, not ${shown(right)}`, tree.at)
    const isIn = right.some((item) => equal(left, item, tree, run))
    return isIn === (operator === 'in')
  }
  const [a, b] = [number(left, tree), number(right, tree)]
  if (!isSmall(a) || !isSmall(b)) step(run, tree, LARGE_STEPS)
  return calculated(operator, a, b, tree)
}

type Calculating = Exclude<Operator, '==' | '!=' | 'in' | 'not in' | 'and' | 'or'>

function calculated(operator: Calculating, a: Rational, b: Rational, tree: Tree): Value {
  switch (operator) {
    case '+':
      return sized(add(a, b), tree)
    case '-':
      return sized(subtract(a, b), tree)
    case '*':
      return sized(multiply(a, b), tree)
    case '/':
    case '%': {
      if (b.n === 0n) throw new ExpressionProblem('division by zero', tree.at)
      const quotient = sized(divide(a, b), tree)
      if (operator === '/') return quotient
      const whole = { n: floor(quotient), d: 1n } // the rest has the divisor's sign
      return sized(subtract(a, sized(multiply(whole, b), tree)), tree)
    }
    case '<':
      return compare(a, b) < 0
    case '<=':
      return compare(a, b) <= 0
    case '>':
      return compare(a, b) > 0
    case '>=':
      return compare(a, b) >= 0
  }
}

function called(tree: Extract<Tree, { kind: 'call' }>, run: Run): Value {
  const values = tree.of.map((one) => valued(one, run))
  const [first = null, second] = values
  const many = values.length === 1 && isList(first) ? first : values
  switch (tree.name) {
    case 'min':
      return extreme(many, -1, tree, run)
    case 'max':
      return extreme(many, 1, tree, run)
    case 'abs': {
      const { n, d } = number(first, tree)
      return { n: n < 0n ? -n : n, d }
    }
    case 'floor':
      return { n: floor(number(first, tree)), d: 1n }
    case 'ceil':
      return { n: ceil(number(first, tree)), d: 1n }
    case 'round':
      return rounded(number(first, tree), second, tree)
  }
}

function rounded(value: Rational, places: Value | undefined, tree: Tree): Value {
  const { n, d } = places === undefined ? { n: 0n, d: 1n } : number(places, tree)
  if (d !== 1n || n < 0n || n > MOST_PLACES) {
    throw new ExpressionProblem(`round takes 0 to ${MOST_PLACES} places`, tree.at)
  }
  const factor = 10n ** n
  return sized(rational(round(sized(rational(value.n * factor, value.d), tree)), factor), tree)
}

function extreme(values: readonly Value[], sign: number, tree: Tree, run: Run): Value {
  step(run, tree, values.length)
  const numbers = values.map((value) => number(value, tree))
  const [first, ...rest] = numbers
  if (first === undefined) throw new ExpressionProblem('the list is empty', tree.at)
  return rest.reduce((best, one) => (compare(one, best) === sign ? one : best), first)
}

/** Values of two kinds are not equal; lists are by their items. */
function equal(a: Value, b: Value, tree: Tree, run: Run): boolean {
  step(run, tree, 1)
  if (isRational(a) && isRational(b)) return compare(a, b) === 0
  if (isList(a) && isList(b)) {
    return (
      a.length === b.length && a.every((item, index) => equal(item, b[index] ?? null, tree, run))
    )
  }
  return typeof a !== 'object' || a === null ? a === b : false
}

function found(tree: Extract<Tree, { kind: 'path' }>, run: Run): Value {
  const before = run.payload.found.get(tree.text)
  if (before !== undefined) {
    run.seen.set(tree.text, before)
    return before
  }
  let place: unknown = run.payload.root
  for (const name of tree.steps) {
    // own properties only: a payload cannot reach into what JavaScript gives every object
    const holds = typeof place === 'object' && place !== null && Object.hasOwn(place, name)
    place = holds ? Reflect.get(place as object, name) : null
  }
  const value = fromJson(place, tree, run)
  run.payload.found.set(tree.text, value)
  run.seen.set(tree.text, value)
  return value
}

function fromJson(json: unknown, tree: Tree, run: Run): Value {
  step(run, tree, 1)
  if (typeof json === 'number') {
    const value = sized(rationalOf(json), tree)
    if (!isSmall(value)) step(run, tree, LARGE_STEPS)
    return value
  }
  if (typeof json === 'string' || typeof json === 'boolean') return json
  if (Array.isArray(json)) return json.map((item) => fromJson(item, tree, run))
  return json === null || json === undefined ? null : { opaque: true }
}

const step = ({ payload }: Run, { at }: Tree, count: number) => payload.step(at, count)

function number(value: Value, { at }: Tree): Rational {
  if (!isRational(value)) throw new ExpressionProblem(`expected a number, not ${shown(value)}`, at)
  return value
}

function truth(value: Value, { at }: Tree): boolean {
  if (typeof value !== 'boolean') {
    throw new ExpressionProblem(`expected true or false, not ${shown(value)}`, at)
  }
  return value
}

function sized(value: Rational | null, { at }: Tree): Rational {
  if (value === null) throw new ExpressionProblem('the number is too large', at)
  return value
}
