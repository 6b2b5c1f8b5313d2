import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

const eventsOf = async (type: string) => (await shop.get(`/v1/events?type=${type}`)).body.data

test('a warning that points expire shows the account, how much and when', async () => {
  const expiry = { mode: 'rolling', months: 1, warnDaysBefore: 60 }
  await shop.patch('/v1/loyalty/programs/prog_default', { expiry })
  await shop.post('/v1/loyalty/transactions', { account: 'loy_9f2k', amount: 30, reason: 'test' })
  await shop.pool.query('select ledger.account_expire($1, $2, clock_timestamp())', [
    shop.workspace,
    'loy_9f2k',
  ])
  expect(await eventsOf('loyalty.points.expiring')).toMatchObject([
    { data: { account: 'loy_9f2k', program: 'prog_default', points: 30 } },
  ])
})

test('the daily snapshot shows the liability report as the API does, once a day', async () => {
  const snapshot = () =>
    shop.pool.query('select ledger.liability_snapshot($1, $2, clock_timestamp()) as written', [
      shop.workspace,
      'prog_default',
    ])
  await snapshot()
  const report = (await shop.get('/v1/loyalty/programs/prog_default/liability')).body
  const [event] = await eventsOf('program.liability.snapshot')
  const { asOf: _asOf, ...facts } = report
  expect(event.data).toMatchObject({ ...facts, program: 'prog_default' })
})
