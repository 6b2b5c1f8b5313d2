import { Vinr } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { has, type ShopServer, serve } from './served.ts'

/** "Points & loyalty currency": each snippet as it is printed. */

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: process.env.VINR_SECRET_KEY })
})
afterAll(() => shop.close())

test('issuing and deducting points', async () => {
  // Award points outside a rule — e.g. a customer-service goodwill gesture.
  const award = await vinr.loyalty.transactions.create({
    account: 'loy_abc123',
    amount: 500, // positive = credit
    reason: 'goodwill_credit',
    metadata: { ticket: 'ZD-4821' },
  }) // "ptx_..."

  // Deduct points — amount is negative for a debit.
  await vinr.loyalty.transactions.create({
    account: 'loy_abc123',
    amount: -200,
    reason: 'manual_correction',
  })
  expect(award).toMatchObject({ amount: 500, metadata: { ticket: 'ZD-4821' } })
  const { data } = await vinr.events.list({ type: 'loyalty.points.*', limit: 2 })
  expect(data.map(({ type }) => type)).toEqual(['loyalty.points.spent', 'loyalty.points.earned'])
})

const programs = has('PATCH', '/v1/loyalty/programs/{id}')

test.runIf(programs)('defining a currency', async () => {
  const program = await vinr.loyalty.programs.update('prog_default', {
    currency: {
      name: 'Stars',
      pointValue: 1, // 1 point redeems for EUR 0.01 (1 minor unit)
      rounding: 'down', // 'down' | 'nearest' | 'up'
      decimals: 0, // whole points only
    },
  })
  expect(program.currency).toMatchObject({ name: 'Stars', pointValue: 1 })
})

test.runIf(programs)('expiry policies', async () => {
  await vinr.loyalty.programs.update('prog_default', {
    expiry: {
      mode: 'rolling', // 'rolling' | 'fixed' | 'never'
      months: 12, // expire points 12 months after they are earned
      resetOnActivity: true, // any earn or redeem extends all points
      warnDaysBefore: 30, // emit loyalty.points.expiring this many days out
    },
  })
  const { expiry } = await vinr.loyalty.programs.retrieve('prog_default')
  expect(expiry).toMatchObject({ mode: 'rolling', months: 12, resetOnActivity: true })
})

test.runIf(has('GET', '/v1/loyalty/programs/{id}/liability'))('liability', async () => {
  const report = await vinr.loyalty.programs.liability('prog_default')
  expect(report).toMatchObject({ pointValue: 1, currency: 'EUR' })
  expect(report.liabilityMinor).toBe(report.outstandingPoints)
})
