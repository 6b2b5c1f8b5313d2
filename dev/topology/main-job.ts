import assert from 'node:assert/strict'
import type { Operator } from './operator.ts'
import type { Shop } from './shop.ts'

const COMPLETES = '4242424242424242'
const DECLINED = '4000000000000002'

type Say = (line: string) => void

/** Redeem, pay, applied; redeem, decline or wait or cancel, released; and each found by an operator. */
export async function proveMainJob(shop: Shop, operator: Operator, say: Say): Promise<void> {
  const paid = await shop.redeem()
  const payment = await shop.pay(paid.id, COMPLETES)
  assert.equal(payment.status, 'completed')
  assert.equal(payment.amount_charged, 2_499)
  await hasEnded(shop, operator, paid.id, { status: 'applied', balance: 4_500 })
  say('redeem, pay: applied, EUR 5 less charged, 500 points spent')

  const declined = await shop.redeem()
  assert.equal((await shop.pay(declined.id, DECLINED)).status, 'failed')
  const back = { status: 'released', reason: 'payment_failed', balance: 4_500 }
  await hasEnded(shop, operator, declined.id, back)
  say('redeem, decline: released, the points are back')

  const canceled = await shop.redeem()
  assert.equal(await shop.balance(), 4_000)
  await operator.cancel(canceled.id)
  const byOperator = { status: 'released', reason: 'canceled_by_operator', balance: 4_500 }
  await hasEnded(shop, operator, canceled.id, byOperator)
  say('redeem, cancel in the Temporal UI before the run has begun: released')

  const waited = await shop.redeem()
  await hasEnded(shop, operator, waited.id, {
    status: 'released',
    reason: 'expired',
    balance: 4_500,
  })
  say('redeem, do nothing: released after the hold')

  const all = [paid, declined, canceled, waited].map(({ id }) => id).sort()
  assert.deepEqual((await operator.find(`RedemptionAccount = '${shop.account}'`, 4)).sort(), all)
  const applied = `RedemptionAccount = '${shop.account}' AND RedemptionStatus = 'applied'`
  assert.deepEqual(await operator.find(applied, 1), [paid.id])
  assert.deepEqual(await operator.find(`RedemptionPayment = '${payment.id}'`, 1), [paid.id])
  assert.deepEqual(await operator.find(`WorkflowId = '${waited.id}'`, 1), [waited.id])
  say('the Temporal UI finds them by id, account, status and payment')
}

/** The run has ended with this status, and the API tells the same of the redemption and the balance. */
export async function hasEnded(
  shop: Shop,
  operator: Operator,
  id: string,
  expected: { status: string; reason?: string; balance: number },
): Promise<void> {
  const ending = await operator.ended(id)
  assert.equal(Reflect.get(Object(ending), 'status'), expected.status)
  const redemption = await shop.redemption(id)
  assert.equal(redemption.status, expected.status)
  if (expected.reason !== undefined) assert.equal(redemption.reason, expected.reason)
  assert.equal(await shop.balance(), expected.balance)
}
