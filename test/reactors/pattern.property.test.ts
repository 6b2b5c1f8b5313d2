import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matcherOf, patternProblem } from '../../domain/pattern.ts'

const ATOMS = [
  'a', 'b', '.', '\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '\\b', '^', '$', '[ab]', '[^ab]', '[\\s-]', '[^\\S]',
  '[\\w.]', '[[a]', '\\u0061', '\\u{1F600}', '\\ud83d\\ude00', '😀', '\\x62', '\\cJ', '\\/', '\\.', '\\p{Lu}', '\\0',
] as const // biome-ignore format: a table
const TEXTS = [
  'a',
  'b',
  'A',
  '1',
  '_',
  ' ',
  '\n',
  '\r',
  '\t',
  '\v',
  '\0',
  '\u2028',
  '\u00a0',
  '\ufeff',
  '😀',
  '/',
  '.',
  '-',
  '[',
  '\ud83d',
]

const pattern: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...ATOMS),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => a + b),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('any'), fc.constantFrom('*', '+', '?', '{2}', '{0,3}', '+?'))
      .map(([a, n]) => `(${a})${n}`),
  ),
})).any
const text = fc.array(fc.constantFrom(...TEXTS), { maxLength: 12 }).map((parts) => parts.join(''))

describe('a pattern', () => {
  it('means in linear time what ECMA-262 means by it', () => {
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        fc.pre(patternProblem(source) === null)
        expect(matcherOf(source).test(value)).toBe(new RegExp(source, 'u').test(value))
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['(', 'is not taken'],
    ['(?=a)', 'is not taken'],
    ['(?<!a)b', 'is not taken'],
    ['(a)\\1', 'is not taken'],
    ['(?P<n>a)', 'is not taken'], // RE2's own
    ['[[:alpha:]]\\A', 'is not taken'],
    ['(?:(?:a{99}){99}){99}', 'is not taken'],
    ['a'.repeat(201), 'is longer than 200 characters'],
  ])('%s is none', (source, problem) => {
    expect(patternProblem(source)).toContain(problem)
  })

  it('that is backtracked, from before, holds for no text of more than 256 characters either', () => {
    const matcher = matcherOf('(?=a)')
    expect([matcher.test('a'), matcher.test('b'), matcher.test('a'.repeat(257))]).toEqual([
      true,
      false,
      false,
    ])
  })
})
