import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomFrom } from '../../bench/storm-plan.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

const ACTIONS = 240
const IN_FLIGHT = 12
const CARDS = ['4242424242424242', '4000000000000002', undefined]

test('issues, payments, refunds, reversals and a merge in any order at once end with every wallet exact', async () => {
  const { body: reward } = await shop.post('/v1/loyalty/rewards', {
    name: 'Credit',
    type: 'store_credit',
    cost: 7,
    value: { amount: 1_000, currency: 'EUR' },
  })
  const members: string[] = []
  for (let n = 0; n < 4; n++) {
    const { body } = await shop.post('/v1/loyalty/accounts', {})
    await shop.post('/v1/loyalty/transactions', { account: body.id, amount: 9_000, reason: 'test' })
    members.push(body.id)
  }
  const random = randomFrom(7)
  const pick = <T>(some: readonly T[]): T | undefined => some[Math.floor(random() * some.length)]
  const redemptions: string[] = []
  const payments: string[] = []

  const actions = [
    async () => {
      const asked = { account: pick(members), reward: reward.id }
      const { body } = await shop.post('/v1/loyalty/redemptions', asked)
      redemptions.push(body.id)
      return 201
    },
    async () => {
      const store_credit = { account: pick(members), amount: 1 + Math.floor(random() * 900) }
      const asked = { amount: 1_500, currency: 'EUR', store_credit, card: pick(CARDS) }
      const { status, body } = await shop.post('/v1/payments', asked)
      if (status === 201) payments.push(body.id)
      return status
    },
    async () => (await shop.post(`/v1/payments/${pick(payments)}/cancel`)).status,
    async () => {
      const amount = 1 + Math.floor(random() * 600)
      const asked = { payment: pick(payments) ?? 'pay_none', amount, store_credit: amount }
      return (await shop.post('/v1/refunds', asked)).status
    },
    async () => (await shop.post('/v1/refunds', { payment: pick(payments) ?? 'pay_none' })).status,
    async () => {
      const asked = { reason: 'storm', points: 1 + Math.floor(random() * 7) }
      return (await shop.post(`/v1/loyalty/redemptions/${pick(redemptions)}/reverse`, asked)).status
    },
  ]
  const statuses = new Set<number>()
  let left = ACTIONS
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left-- > 0) {
        if (left === ACTIONS / 2) {
          const [source, target] = members
          await shop.post('/v1/loyalty/accounts/merge', { source, target })
        }
        const act = pick(actions)
        if (act !== undefined) statuses.add(await act())
      }
    }),
  )
  expect([...statuses].filter((status) => status >= 500)).toEqual([])
  expect(payments.length).toBeGreaterThan(10)
  expect(redemptions.length).toBeGreaterThan(10)
  expect(await shop.reconcile()).toEqual([])

  const held = await Promise.all(
    members.slice(1).map(async (account) => {
      const { body } = await shop.get(`/v1/loyalty/accounts/${account}/store_credit`)
      return body.wallets[0]?.balance ?? 0
    }),
  )
  const owed = await shop.get('/v1/loyalty/programs/prog_default/store_credit_liability')
  const [euro] = owed.body.currencies
  expect(euro.outstanding).toBe(held.reduce((sum, one) => sum + one, 0))
  expect(euro.spent).toBeGreaterThan(0)
})
