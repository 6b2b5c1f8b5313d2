import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

const events = async (query: string) => (await shop.get(`/v1/events?${query}`)).body.data

test('a redemption’s events carry the redemption and its transaction flat, as they were', async () => {
  const made = await shop.post('/v1/loyalty/redemptions', {
    account: 'loy_8sd2k1',
    reward: 'rwd_fivecredit',
  })
  await shop.post(`/v1/loyalty/redemptions/${made.body.id}/cancel`, {})
  const [released, created] = await events(`object=${made.body.id}`)
  expect([created.type, released.type]).toEqual([
    'loyalty.redemption.created',
    'loyalty.redemption.released',
  ])
  expect(created.data).toEqual(made.body)
  expect(released.data).toMatchObject({ id: made.body.id, status: 'released' })

  const [spent] = await events(`object=${made.body.transaction}`)
  const transaction = await shop.get(`/v1/loyalty/transactions/${made.body.transaction}`)
  expect(spent).toMatchObject({ object: 'event', type: 'loyalty.points.spent', livemode: false })
  expect(spent.data).toEqual(transaction.body)
  expect((await shop.get(`/v1/events/${spent.id}`)).body).toEqual(spent)
})

test('are filtered by type, by a prefix of it, by object and by time, newest first', async () => {
  const member = await shop.post('/v1/loyalty/accounts', { customer: 'cust_events' })
  const payment = await shop.post('/v1/payments', {
    amount: 100,
    currency: 'eur',
    card: '4242 4242 4242 4242',
  })
  const [created] = await events('type=loyalty.account.created')
  expect(created.data).toEqual(member.body)
  const paid = await events('type=payment.*')
  expect(paid[0]).toMatchObject({ type: 'payment.completed', data: { id: payment.body.id } })
  expect(paid.every(({ type }: { type: string }) => type.startsWith('payment.'))).toBe(true)
  expect(await events(`created[gt]=${Math.ceil(Date.now() / 1_000) + 60}`)).toEqual([])
  const all = await events('limit=100')
  expect(all.map(({ id }: { id: string }) => id)).toEqual(
    all
      .map(({ id }: { id: string }) => id)
      .sort()
      .reverse(),
  )
  const second = await events(`limit=1&starting_after=${all[0].id}`)
  expect(second).toEqual([all[1]])
})

test('a type or an object that cannot be is refused by name, an unknown event is 404', async () => {
  const wrong = await shop.get('/v1/events?type=a..b')
  expect([wrong.status, wrong.body.error.param]).toEqual([400, 'type'])
  expect((await shop.get('/v1/events/evt_none')).status).toBe(404)
})
