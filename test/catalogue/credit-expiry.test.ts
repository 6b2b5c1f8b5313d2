import { afterAll, beforeAll, expect, test } from 'vitest'
import { CREDIT_EXPIRY_WORKFLOW_ID, WORKFLOW } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const runExpiry = (n: number) =>
  shop.engine.client.workflow.execute(WORKFLOW.creditExpiry, {
    workflowId: `${CREDIT_EXPIRY_WORKFLOW_ID}-${shop.workspace}-${n}`,
    taskQueue: shop.engine.taskQueue,
    args: [],
  })

test('the run writes off what is due of every member, with its date, and leaves the rest', async () => {
  const { body: reward } = await shop.post('/v1/loyalty/rewards', {
    name: 'Credit',
    type: 'store_credit',
    cost: 1,
    value: { amount: 1_000, currency: 'EUR', expiresDays: 1 },
  })
  const members = ['loy_9f2k', 'loy_8sd2k1', 'loy_abc123']
  for (const account of members) {
    await shop.post('/v1/loyalty/redemptions', { account, reward: reward.id })
  }
  await shop.owner.query(
    `update credit set expires_at = '2026-01-01T00:00:00Z' where account in ('loy_9f2k', 'loy_8sd2k1')`,
  )
  expect(await runExpiry(1)).toEqual({ members: 2 })
  const { body } = await shop.get('/v1/loyalty/store_credit_transactions?type=expire')
  const written = body.data.map((one: { account: string; amount: number; created_at: string }) => [
    one.account,
    one.amount,
    one.created_at,
  ])
  expect(written.sort()).toEqual([
    ['loy_8sd2k1', -1_000, '2026-01-01T00:00:00.000Z'],
    ['loy_9f2k', -1_000, '2026-01-01T00:00:00.000Z'],
  ])
  const left = await shop.get('/v1/loyalty/accounts/loy_abc123/store_credit')
  expect(left.body.wallets[0].balance).toBe(1_000)
  expect(await runExpiry(2)).toEqual({ members: 0 })
})
