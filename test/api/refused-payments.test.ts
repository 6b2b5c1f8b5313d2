import { WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { paymentWorkflowId } from '../../temporal/names.ts'
import { startedRun } from '../support/run.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterEach(() => vi.restoreAllMocks())
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const COMPLETES = '4242 4242 4242 4242'
const member = 'loy_8sd2k1'

const redeem = async () =>
  (await shop.post('/v1/loyalty/redemptions', { account: member, reward: 'rwd_fivecredit' })).body
const pay = (more: object = {}, idempotencyKey?: string) =>
  shop.post('/v1/payments', { amount: 2_999, currency: 'EUR', ...more }, { idempotencyKey })

/** What is written for payments: rows, keys, and what their workflows are to be signalled. */
const written = async () => {
  const { rows } = await shop.owner.query(
    `select (select count(*)::int from payment) as payments, (select count(*)::int from idempotency_key) as keys,
       (select count(*)::int from workflow_outbox where workflow_type = 'payment') as signals`,
  )
  return rows[0]
}

it.each([
  ['a redemption that nobody has', async () => ({ redemptions: [newId('rdm')] }), 404],
  ['a code that nobody has', async () => ({ discounts: [{ code: 'VINR-NONE' }] }), 404],
  [
    'a redemption of another payment',
    async () => {
      const { id } = await redeem()
      await pay({ card: COMPLETES, redemptions: [id] })
      return { redemptions: [id] }
    },
    422,
  ],
  [
    'a redemption in another currency',
    async () => ({ currency: 'USD', redemptions: [(await redeem()).id] }),
    422,
  ],
  [
    'more store credit than there is',
    async () => ({ store_credit: { account: member, amount: 500 } }),
    400,
  ],
  ['store credit of nobody', async () => ({ store_credit: { account: newId('loy') } }), 404],
])(
  'an open payment refused for %s writes nothing, not even its key',
  async (_why, body, status) => {
    const asked = await body()
    const before = await written()
    const answer = await pay(asked, newId('op'))
    expect([answer.status, answer.body.error?.code]).toEqual([status, expect.any(String)])
    expect(await written()).toMatchObject({ payments: before.payments, keys: before.keys })
  },
)

it('a key that is repeated, or reused, creates nothing, and the payment is answered as it is', async () => {
  const { id } = await redeem()
  const first = await pay({ redemptions: [id] }, 'once')
  const { payments } = await written()
  const again = await pay({ redemptions: [id] }, 'once')
  expect([again.status, again.body]).toEqual([200, first.body])
  expect(again.headers['idempotent-replayed']).toBe('true')
  const reused = await pay({ amount: 5 }, 'once')
  expect([reused.status, reused.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  expect((await written()).payments).toBe(payments)
})

it('an open payment has one event, and a run that waits for its expiry', async () => {
  const { id } = await redeem()
  const { status, body } = await pay({ redemptions: [id] }, 'asked')
  expect([status, body.redemptions]).toEqual([201, [id]])
  const { rows } = await shop.owner.query('select type from event where object = $1', [body.id])
  expect(rows).toEqual([{ type: 'payment.created' }])
  const run = await startedRun(shop.engine, paymentWorkflowId(shop.workspace, body.id))
  expect((await run.describe()).status.name).toBe('RUNNING')
})

it('one key at once creates one payment', async () => {
  const asked = { card: '4000000000003220' }
  const { payments } = await written()
  const answers = await Promise.all(Array.from({ length: 8 }, () => pay(asked, 'twice')))
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  expect((await written()).payments).toBe(payments + 1)
})

it('one redemption at once is taken by one payment, and the others are refused', async () => {
  const { id } = await redeem()
  const answers = await Promise.all(Array.from({ length: 8 }, () => pay({ redemptions: [id] })))
  const codes = answers.map(({ status, body }) => body.error?.code ?? status)
  expect(codes.filter((code) => code === 201)).toHaveLength(1)
  expect(codes.filter((code) => code === 'redemption_already_attached')).toHaveLength(7)
})

it.each([
  ['completes', { card: COMPLETES }],
  ['is declined', { card: '4000000000000002' }],
])(
  'a payment that %s at once is done in its own transaction: its workflow is signalled nothing',
  async (_how, card) => {
    const { id } = await redeem()
    const asked = vi.spyOn(shop.pool, 'query')
    const { body } = await pay({ ...card, redemptions: [id] })
    const calls = asked.mock.calls.map(([query]) => JSON.stringify(query))
    expect(calls.filter((query) => query.includes('payment_'))).toHaveLength(1)
    const { rows } = await shop.owner.query(
      `select (select status from redemption where id = $1) as status,
       (select count(*)::int from workflow_outbox where workflow_id = $2) as signals,
       (select bool_and(processed_at is not null) from inbox where payment = $3) as processed`,
      [id, paymentWorkflowId(shop.workspace, body.id), body.id],
    )
    const status = 'card' in card && card.card === COMPLETES ? 'applied' : 'released'
    expect(rows).toEqual([{ status, signals: 0, processed: true }])
    const run = shop.engine.client.workflow.getHandle(paymentWorkflowId(shop.workspace, body.id))
    await expect(run.describe()).rejects.toThrow(WorkflowNotFoundError)
  },
)
