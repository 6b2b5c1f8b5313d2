import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../domain/expression/evaluate.ts'
import { parseExpression } from '../../domain/expression/parse.ts'
import { Payload } from '../../domain/expression/payload.ts'
import { ExpressionProblem } from '../../domain/expression/tree.ts'
import { isRational, rationalOf, textOf } from '../../domain/expression/value.ts'
import { unitsOf } from '../../domain/points.ts'
import { unitsOfExact } from '../../domain/reactor.ts'

/** What the language says of any text and any payload: a value, or a problem with a place inside the text. */
function attempt(source: string, payload: unknown): void {
  try {
    evaluate(parseExpression(source), new Payload(payload))
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error
    expect(error.position).toBeGreaterThanOrEqual(1)
    expect(error.position).toBeLessThanOrEqual(source.length + 1)
  }
}

const PIECES =
  `1 0 2.5 "a" 'b' $ .a [0] ["b"] ( ) [ ] , + - * / % == != < <= > >= in not and or ! && ||
  true false null min max floor ceil round abs " \\ 😀 __proto__ .constructor`.split(/\s+/)
const piece = fc.constantFrom(...PIECES, ' ', '\n')

describe('fuzz', () => {
  it('no text whatever does more than be refused with a place', () => {
    fc.assert(fc.property(fc.string({ maxLength: 600, unit: 'binary' }), fc.jsonValue(), attempt), {
      numRuns: 2_000,
    })
  })

  it('nor does any heap of the language’s own pieces', () => {
    const heap = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''))
    fc.assert(fc.property(heap, fc.jsonValue(), attempt), { numRuns: 5_000 })
  })
})

/** An arithmetic expression with its own exact value, worked out beside it on fractions of bigints. */
type KnownNumber = { text: string; n: bigint; d: bigint }

const whole = fc
  .integer({ min: 0, max: 9_999 })
  .map((n): KnownNumber => ({ text: String(n), n: BigInt(n), d: 1n }))
const cents = fc.integer({ min: 0, max: 99_999 }).map((n): KnownNumber => {
  return { text: (n / 100).toFixed(2), n: BigInt(n), d: 100n }
})

const { known } = fc.letrec<{ known: KnownNumber }>((tie) => ({
  known: fc.oneof(
    { maxDepth: 5 },
    whole,
    cents,
    fc
      .tuple(tie('known'), fc.constantFrom('+', '-', '*', '/'), tie('known'))
      .map(([a, sign, b]) => {
        const text = `(${a.text} ${sign} ${b.text})`
        if (sign === '+') return { text, n: a.n * b.d + b.n * a.d, d: a.d * b.d }
        if (sign === '-') return { text, n: a.n * b.d - b.n * a.d, d: a.d * b.d }
        if (sign === '*') return { text, n: a.n * b.n, d: a.d * b.d }
        return b.n === 0n ? a : { text, n: a.n * b.d, d: a.d * b.n }
      }),
  ),
}))

describe('arithmetic', () => {
  it('is exact, however deep', () => {
    fc.assert(
      fc.property(known, ({ text, n, d }) => {
        fc.pre(text.length <= 500)
        const { value } = evaluate(parseExpression(text), new Payload({}))
        expect(isRational(value) && value.n * d === n * value.d).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads every JSON number as the decimal that it prints as', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
        (number) => {
          const read = rationalOf(number)
          fc.pre(read !== null)
          const text = textOf(read ?? { n: 0n, d: 1n })
          if (!text.includes('/')) expect(Number(text)).toBe(number === 0 ? 0 : number)
          else expect(Math.abs(number)).toBeLessThan(1) // more than twenty places
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('becomes points by the same rounding as a number sent by hand', () => {
    const rounding = fc.constantFrom('down' as const, 'nearest' as const, 'up' as const)
    const sent = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }).map((n) => n / 1_000)
    fc.assert(
      fc.property(sent, fc.integer({ min: 0, max: 4 }), rounding, (points, decimals, mode) => {
        const exact = rationalOf(points)
        expect(exact).not.toBeNull()
        expect(unitsOfExact(exact ?? { n: 0n, d: 1n }, { decimals, rounding: mode })).toBe(
          unitsOf(points, decimals, mode).units,
        )
      }),
      { numRuns: 2_000 },
    )
  })
})
