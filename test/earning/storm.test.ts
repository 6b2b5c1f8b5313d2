import { afterAll, beforeAll, expect, test } from 'vitest'
import { planStorm, randomFrom, twiceAndShuffled } from '../../bench/storm-plan.ts'
import { seedRule } from '../../dev/demo.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { earningIn } from './earn.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  await seedRule(shop.pool, shop.workspace)
})
afterAll(() => shop.close())

const WEBHOOKS = 400
const IN_FLIGHT = 16

test('webhooks delivered twice and shuffled end with every member exactly right, and an empty inbox', async () => {
  const earning = earningIn(shop)
  const members = await Promise.all(Array.from({ length: 20 }, () => earning.member()))
  const random = randomFrom(20_260_530)
  const { events, expected } = planStorm(
    members.map(({ customer }) => customer),
    WEBHOOKS,
    random,
  )
  const queue = twiceAndShuffled(events, random)
  const statuses = new Map<number, number>()
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const { status } = await shop.webhook(next)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }),
  )
  expect([...statuses]).toEqual([[200, 2 * WEBHOOKS]])

  const waiting = async () =>
    (await shop.owner.query('select count(*)::int as n from inbox where processed_at is null'))
      .rows[0].n
  await expect.poll(waiting, { timeout: 50_000, interval: 100 }).toBe(0)
  const found = await Promise.all(
    members.map(async ({ id, customer }) => [customer, await earning.balance(id)] as const),
  )
  expect(new Map(found)).toEqual(expected)
  expect(await shop.reconcile()).toEqual([])
})
