import { describe, expect, it } from 'vitest'
import { evaluate } from './evaluate.ts'
import { parseExpression } from './parse.ts'
import { Payload } from './payload.ts'
import { ExpressionProblem } from './tree.ts'
import { shown } from './value.ts'

const PAYLOAD = {
  points: 500,
  price: 0.1,
  total: 19.99,
  tiny: 1e-7,
  huge: 1e21,
  store: { id: 'OSL-1', open: true, 'till no': 4 },
  items: [
    { sku: 'A', price: 12.5 },
    { sku: 'B', price: 7.25 },
  ],
  tags: ['coffee', 'cake'],
  amounts: [3, 1, 2],
  nothing: null,
  empty: [],
}

const says = (source: string, payload: unknown = PAYLOAD) =>
  shown(evaluate(parseExpression(source), new Payload(payload)).value)

describe('an expression says', () => {
  it.each([
    // numbers are exact
    ['1', '1'],
    ['0.1 + 0.2', '0.3'],
    ['0.1 + 0.2 == 0.3', 'true'],
    ['1 / 3', '1/3'],
    ['1 / 3 * 3 == 1', 'true'],
    ['10 / 4', '2.5'],
    ['9007199254740993 + 0', '9007199254740993'],
    ['$.price * 3 == 0.3', 'true'],
    ['$.tiny * 10000000', '1'],
    ['$.huge == 1000000000000000000000', 'true'],
    // the usual order
    ['1 + 2 * 3', '7'],
    ['(1 + 2) * 3', '9'],
    ['10 - 4 - 3', '3'],
    ['24 / 4 / 2', '3'],
    ['-2 * -3', '6'],
    ['- - 2', '2'],
    ['7 % 3', '1'],
    ['-7 % 3', '2'],
    ['7.5 % 2', '1.5'],
    // rounding
    ['floor(2.5)', '2'],
    ['floor(-2.5)', '-3'],
    ['ceil(2.1)', '3'],
    ['ceil(-2.1)', '-2'],
    ['round(2.5)', '3'],
    ['round(-2.5)', '-3'],
    ['round(2.4)', '2'],
    ['round(1 / 3, 2)', '0.33'],
    ['round(2.005, 2)', '2.01'],
    ['abs(-3.5)', '3.5'],
    ['min(3, 1, 2)', '1'],
    ['max($.amounts)', '3'],
    ['min([2])', '2'],
    // what the documents do
    ['$.points * -1', '-500'],
    ['floor($.total * 10)', '199'],
    // paths
    ['$.store.id', '"OSL-1"'],
    ['$.items[1].price', '7.25'],
    ['$["store"]["till no"]', '4'],
    ['$.missing', 'null'],
    ['$.missing.further[3]', 'null'],
    ['$.store', 'an object'],
    ['$.tags', '["coffee", "cake"]'],
    ['$.constructor', 'null'],
    ['$.__proto__', 'null'],
    ['$.tags.length', '2'],
    // comparison
    ['$.points > 499.99', 'true'],
    ['$.points <= 500', 'true'],
    ['$.points < 500', 'false'],
    ['$.points >= 501', 'false'],
    ['$.store.id == "OSL-1"', 'true'],
    ["$.store.id == 'OSL-1'", 'true'],
    ['$.store.id != "osl-1"', 'true'],
    ['"1" == 1', 'false'],
    ['true == 1', 'false'],
    ['null == $.nothing', 'true'],
    ['$.missing == null', 'true'],
    ['$.store != null', 'true'],
    ['[1, 2] == [1, 2.0]', 'true'],
    ['[1, 2] == [2, 1]', 'false'],
    ['"say \\"hi\\"" == \'say "hi"\'', 'true'],
    // lists
    ['"cake" in $.tags', 'true'],
    ['"tea" in $.tags', 'false'],
    ['"tea" not in $.tags', 'true'],
    ['$.store.id in ["OSL-1", "BGO-1"]', 'true'],
    ['1 in $.empty', 'false'],
    // true and false
    ['true and false', 'false'],
    ['true or false', 'true'],
    ['not true', 'false'],
    ['!true || true', 'true'],
    ['true && !false', 'true'],
    ['not 1 == 2', 'true'],
    ['1 == 1 and 2 == 2 or 1 / 0 == 1', 'true'], // never looks at what cannot matter
    ['$.missing != null and $.missing > 3', 'false'],
    ['true or false and false', 'true'],
  ])('%s is %s', (source, value) => {
    expect(says(source)).toBe(value)
  })
})

describe('an expression is refused, with the place', () => {
  it.each([
    ['', 'unexpected the end', 1],
    ['1 +', 'unexpected the end', 4],
    ['1 2', 'unexpected 2', 3],
    ['$.', 'unexpected the end', 3],
    ['$.1', 'unexpected 1', 3],
    ['points', 'there is no points', 1],
    ['eval(1)', 'there is no eval', 1],
    ['min', 'expected (', 4],
    ['min()', 'min takes', 1],
    ['floor(1, 2)', 'floor takes one value', 1],
    ['(1', 'expected )', 3],
    ['[1, ]', 'unexpected ]', 5],
    ['1 < 2 < 3', 'comparisons do not chain', 7],
    ['1 == 1 == 1', 'comparisons do not chain', 8],
    ['"open', 'an unclosed string', 1],
    ['1 & 2', 'unexpected "&"', 3],
    ['1 = 2', 'unexpected "="', 3],
    ['$.a[-1]', 'unexpected -', 5],
    ['$.a[1.5]', 'unexpected 1.5', 5],
    ['😀', 'unexpected "😀"', 1],
    [`${'('.repeat(40)}1${')'.repeat(40)}`, 'nested deeper than 32', 33],
    [`${'-'.repeat(40)}1`, 'nested deeper than 32', 33],
    [`${'1+'.repeat(250)}1`, 'longer than 500', 501],
    // what only the payload shows
    ['1 / 0', 'division by zero', 3],
    ['1 % ($.points - 500)', 'division by zero', 3],
    ['$.store.id * 2', 'expected a number, not "OSL-1"', 12],
    ['$.missing * -1', 'expected a number, not null', 11],
    ['not 1', 'expected true or false, not 1', 1],
    ['1 and true', 'expected true or false', 3],
    ['"a" < "b"', 'expected a number', 5],
    ['1 in $.points', 'in needs a list, not 500', 3],
    ['min($.empty)', 'the list is empty', 1],
    ['round(1, 11)', 'round takes 0 to 10 places', 1],
    ['round(1, 0.5)', 'round takes 0 to 10 places', 1],
  ])('%s', (source, message, position) => {
    const problem = (() => {
      try {
        says(source)
        return null
      } catch (error) {
        return error
      }
    })()
    expect(problem).toBeInstanceOf(ExpressionProblem)
    expect(problem).toMatchObject({ position, message: expect.stringContaining(message) })
  })

  it('where it takes too long: a list counts by its items', () => {
    const amounts = Array.from({ length: 6_000 }, (_, index) => index)
    expect(() => says('1 in $.amounts', { amounts })).toThrow(/more than 5000 steps/)
  })

  it('where its numbers grow without end', () => {
    const square = Array.from({ length: 60 }, () => '99999').join(' * ')
    expect(() => says(square)).toThrow(/the number is too large/)
  })
})

it('a long text is shown cut between characters: half of a surrogate pair could not be stored', () => {
  for (let before = 50; before < 60; before++) {
    const text = shown(`${'x'.repeat(before)}💶💶💶💶💶💶`)
    expect([/\p{Surrogate}/u.test(text), text.endsWith('…')]).toEqual([false, true])
  }
})
