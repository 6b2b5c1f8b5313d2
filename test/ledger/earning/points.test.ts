import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

const perEuro = { per_amount: { points: 1, amount: 100, currency: 'eur' } }
const byCurrency = {
  per_currency: { eur: { points: 1, amount: 100 }, sek: { points: 1, amount: 1_000 } },
}

test.each([
  ['EUR 42.00 at 1 per EUR 1', perEuro, 1, 1, 4_200, 'eur', 0, 'down', 42],
  ['the currency in upper case', perEuro, 1, 1, 4_200, 'EUR', 0, 'down', 42],
  ['EUR 42.99, rounded down', perEuro, 1, 1, 4_299, 'eur', 0, 'down', 42],
  ['EUR 42.50, rounded to the nearest', perEuro, 1, 1, 4_250, 'eur', 0, 'nearest', 43],
  ['EUR 42.49, rounded to the nearest', perEuro, 1, 1, 4_249, 'eur', 0, 'nearest', 42],
  ['EUR 42.01, rounded up', perEuro, 1, 1, 4_201, 'eur', 0, 'up', 43],
  ['EUR 42.00, rounded up, is exact', perEuro, 1, 1, 4_200, 'eur', 0, 'up', 42],
  ['EUR 42.99 in a program with two decimals', perEuro, 1, 1, 4_299, 'eur', 2, 'down', 4_299],
  [
    'multipliers of rule and tier multiply, and are rounded once',
    perEuro,
    1.5,
    1.25,
    1_010,
    'eur',
    0,
    'down',
    18,
  ],
  [
    'a third of a point three times is never made one',
    { per_amount: { points: 1, amount: 3, currency: 'eur' } },
    1,
    1,
    1,
    'eur',
    0,
    'down',
    0,
  ],
  ['a multiplier that no binary fraction holds', perEuro, 0.1, 1, 3_000, 'eur', 0, 'down', 3],
  ['fixed points, whatever was charged', { fixed: 250 }, 1, 1, null, null, 0, 'down', 250],
  ['fixed points by tier', { fixed: 250 }, 1, 2, 5, 'usd', 0, 'down', 500],
  ['per currency', byCurrency, 1, 1, 12_345, 'sek', 0, 'down', 12],
  ['a currency that the rule does not name', perEuro, 1, 1, 4_200, 'usd', 0, 'down', null],
  ['a currency that the table does not name', byCurrency, 1, 1, 4_200, 'usd', 0, 'down', null],
  ['nothing charged', perEuro, 1, 1, 0, 'eur', 0, 'up', 0],
  [
    'the largest charge at an absurd rate stops at the largest movement',
    { per_amount: { points: 1_000_000_000, amount: 1, currency: 'eur' } },
    1_000,
    9,
    1e12,
    'eur',
    4,
    'down',
    1e12,
  ],
])('%s', async (_what, award, multiplier, tier, amount, currency, decimals, rounding, points) => {
  const { rows } = await db.pool.query(
    'select earning_points($1, $2, $3, $4, $5, $6, $7) as points',
    [award, multiplier, tier, amount, currency, decimals, rounding],
  )
  expect(rows[0].points === null ? null : Number(rows[0].points)).toBe(points)
})

test.each([
  [42, 2_100, 4_200, 21],
  [42, 4_200, 4_200, 42],
  [42, 5_000, 4_200, 42],
  [42, 0, 4_200, 0],
  [1, 4_199, 4_200, 0],
  [100, 1, 3, 33],
  [0, 4_200, 4_200, 0],
  [500, 0, 0, 0],
  [1e12, 999_999_999_999, 1e12, 999_999_999_999],
])('of %d points, a refund of %d out of %d takes %d', async (points, refunded, charged, taken) => {
  const { rows } = await db.pool.query('select clawback_target($1, $2, $3) as target', [
    points,
    refunded,
    charged,
  ])
  expect(Number(rows[0].target)).toBe(taken)
})
