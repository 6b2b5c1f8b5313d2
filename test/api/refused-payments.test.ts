import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { newId } from '../../domain/ids.ts'
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

/** The payments whose runs the engine is asked to start, by the runs' ids; `before` happens first. */
function startedRuns(before: () => Promise<unknown> = async () => undefined): string[] {
  const { workflow } = shop.engine.client
  const start = workflow.start.bind(workflow)
  const started: string[] = []
  vi.spyOn(workflow, 'start').mockImplementation(async (type, options) => {
    if (type === 'payment') {
      await before()
      started.push(options.workflowId)
    }
    return start(type, options)
  })
  return started
}

/** Waits for the run's end, which comes at once or in 24 hours. */
const ended = (run: string) => shop.engine.client.workflow.getHandle(run).result()
const isOpen = async (run: string) =>
  (await shop.engine.client.workflow.getHandle(run).describe()).status.name === 'RUNNING'

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
])('an open payment refused for %s starts no run', async (_why, body, status) => {
  const asked = await body()
  const started = startedRuns()
  const answer = await pay(asked)
  expect([answer.status, answer.body.error?.code, started]).toEqual([
    status,
    expect.any(String),
    [],
  ])
})

it('a key that is repeated, or reused, starts no run, and the payment is answered as it is', async () => {
  const { id } = await redeem()
  const first = await pay({ redemptions: [id] }, 'once')
  const started = startedRuns()
  const again = await pay({ redemptions: [id] }, 'once')
  expect([again.status, again.body]).toEqual([200, first.body])
  expect(again.headers['idempotent-replayed']).toBe('true')
  const reused = await pay({ amount: 5 }, 'once')
  expect([reused.status, reused.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  expect(started).toEqual([])
})

it('a payment that would be created leaves nothing of the question: its key, redemption and events are its own', async () => {
  const { id } = await redeem()
  const started = startedRuns()
  const { status, body } = await pay({ redemptions: [id] }, 'asked')
  expect([status, body.redemptions]).toEqual([201, [id]])
  expect(started).toHaveLength(1)
  const { rows } = await shop.owner.query('select type from event where object = $1', [body.id])
  expect(rows).toEqual([{ type: 'payment.created' }])
  expect(await isOpen(started[0] ?? '')).toBe(true)
})

it('a redemption taken by another payment after the run was started ends that run at once', async () => {
  const { id } = await redeem()
  const started = startedRuns(() => pay({ card: COMPLETES, redemptions: [id] }))
  const { status, body } = await pay({ redemptions: [id] })
  expect([status, body.error.code]).toEqual([422, 'redemption_already_attached'])
  expect(started).toHaveLength(1)
  await ended(started[0] ?? '')
  expect(await isOpen(started[0] ?? '')).toBe(false)
})

it('a key used by another request after the run was started ends that run at once', async () => {
  const asked = { card: '4000000000003220' }
  let first = ''
  const started = startedRuns(async () => {
    if (first !== '') return
    first = 'under way'
    first = (await pay(asked, 'twice')).body.id
  })
  const { status, body } = await pay(asked, 'twice')
  expect([status, body.id]).toEqual([200, first])
  const [kept = '', lost = ''] = started
  expect(started).toHaveLength(2)
  await ended(lost)
  expect(await isOpen(lost)).toBe(false)
  expect(await isOpen(kept)).toBe(true)
})

it('a payment with no key, redemption or wallet is asked nothing first', async () => {
  const asked = vi.spyOn(shop.pool, 'query')
  await pay()
  const calls = asked.mock.calls.map(([query]) => JSON.stringify(query))
  expect(calls.some((query) => query.includes('payment_create('))).toBe(true)
  expect(calls.filter((query) => query.includes('dry_run'))).toEqual([])
})
