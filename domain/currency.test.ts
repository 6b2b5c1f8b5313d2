import { expect, test } from 'vitest'
import { inIsoMinorUnits } from '../api/webhooks/providers/stripe/event.ts'
import { isCurrency, minorDigits } from './currency.ts'
import { moneyFor, pointsFor, rateOfProgram, rateOfSetting } from './points.ts'

test.each([
  ['EUR', 2],
  ['huf', 2],
  ['TWD', 2],
  ['IDR', 2],
  ['MGA', 2],
  ['JPY', 0],
  ['ISK', 0],
  ['UGX', 0],
  ['CLP', 0],
  ['IQD', 3],
  ['kwd', 3],
  ['CLF', 4],
])('%s has %i digits by ISO 4217, however it is shown', (currency, digits) => {
  expect(minorDigits(currency)).toBe(digits)
})

test('a withdrawn currency is still one: its old payments are refunded', () => {
  expect(['eur', 'BGN', 'XYZ', '€'].map(isCurrency)).toEqual([true, true, false, false])
})

test.each([
  // 500 points at a value of 1, in the currency's major unit, and back
  ['HUF', 50_000],
  ['IQD', 500_000],
  ['JPY', 500],
  ['EUR', 50_000],
])('500 points at pointsCurrencyValue 1 are %s %i in minor units', (currency, amount) => {
  const rate = rateOfSetting(1, currency)
  expect([moneyFor(500, 0, rate), pointsFor(amount, 0, rate)]).toEqual([amount, 500])
})

test.each([
  ['HUF', '1'],
  ['IQD', '0.1'],
  ['JPY', '100'],
])('a pointValue of 100 minor units of %s is %s of its major unit', (currency, perPoint) => {
  expect(rateOfProgram(100, currency).perPoint).toBe(perPoint)
})

test.each([
  // what Stripe sends, what it is by ISO 4217
  ['isk', 500, 5],
  ['ugx', 1_000_000, 10_000],
  ['mga', 500, 50_000],
  ['jpy', 500, 500],
  ['huf', 1_045, 1_045],
  ['kwd', 5_120, 5_120],
  ['eur', 4_200, 4_200],
])('Stripe’s %s %i is %i by ISO 4217, wherever it stands', (currency, theirs, ours) => {
  const data = (amount: number) => ({
    object: {
      currency,
      created: 1_700_000_000,
      amount,
      amount_refunded: amount,
      metadata: { order: '100', amount_before_discounts: String(amount) },
      refunds: { data: [{ id: 're_1', amount }] },
    },
    previous_attributes: { amount_refunded: amount },
  })
  expect(inIsoMinorUnits(data(theirs))).toEqual(data(ours))
})
