import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertPayment } from '../../app/payments.ts'
import { findPayment } from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { RECONCILER_SCHEDULE_ID, RECONCILER_WORKFLOW_ID, WORKFLOW } from '../../temporal/names.ts'
import { scheduleReconciler } from '../../temporal/schedules.ts'
import { attach } from '../support/attach.ts'
import { type House, openHouse } from '../support/house.ts'
import { balanceOf, ended, redeem, redemptionOf } from '../support/redeem.ts'
import { DAY_MS, eventsOf, redeemItem } from '../support/redeem-item.ts'
import { takeInUnfinished } from '../support/unfinished.ts'

let house: House

beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

/** One run of the reconciler, as its schedule starts it. */
const sweep = () =>
  house.engine.client.workflow.execute(WORKFLOW.reconciler, {
    workflowId: newId('run'),
    taskQueue: house.engine.taskQueue,
    args: [],
  })

/** The kinds of which something was found. */
const foundBy = (found: object) => Object.entries(found).filter(([, count]) => count > 0)

const LONG_AGO_MS = 10 * 60_000

test('finds nothing in a healthy system, and leaves what is late by less than its grace', async () => {
  await redeem(house)
  const late = await redeem(house, { start: false, holdMs: -60_000 })
  expect(foundBy(await sweep())).toEqual([])
  expect(foundBy(house.reconciled)).toEqual([])
  expect(await redemptionOf(house, late.redemption)).toMatchObject({ status: 'pending' })
})

test('releases a redemption whose run was lost, once it is two minutes past its deadline, and counts it', async () => {
  const before = await balanceOf(house)
  const { redemption } = await redeem(house, { start: false, holdMs: -LONG_AGO_MS })
  expect(await sweep()).toMatchObject({ redemptions: 1 })
  expect(house.reconciled).toMatchObject({ redemptions: 1 })
  expect(await redemptionOf(house, redemption)).toMatchObject({
    status: 'released',
    reason: 'expired',
  })
  expect(await balanceOf(house)).toBe(before)
})

/** What the owner's connection wrote nobody sends by itself; now the sweep finds none either. */
const loseRuns = () => house.owner.query('delete from workflow_outbox')

test('expires an open payment whose run was lost, and its redemption is released', async () => {
  const { redemption } = await redeem(house)
  const payment = newId('pay')
  const at = new Date(Date.now() - LONG_AGO_MS).toISOString()
  await insertPayment(house.owner, {
    workspace: house.workspace,
    payment,
    route: '',
    key: null,
    fingerprint: '',
    amount: 2_999,
    currency: 'eur',
    customer: null,
    metadata: {},
    redemptions: [{ redemption }],
    status: 'requires_payment',
    awaitsConfirmation: false,
    event: newId('evt'),
    at,
    expiresAt: at,
  })
  await loseRuns()
  expect(await sweep()).toMatchObject({ payments: 1 })
  expect(await ended(house, redemption)).toMatchObject({ status: 'released' })
  expect(await findPayment(house.pool, house.workspace, payment)).toMatchObject({
    status: 'expired',
  })
})

test('does what follows from an event that was kept, where its run was lost', async () => {
  const { redemption } = await redeem(house)
  const payment = await attach(house, redemption, 'requires_payment')
  await takeInUnfinished(house.owner, {
    workspace: house.workspace,
    provider: 'sandbox',
    endpoint: house.keys.paymentEndpoint,
    content: [],
    event: newId('evt'),
    type: 'payment.completed',
    payload: {},
    payment: { id: payment, amount: 2_999, currency: 'eur', refs: [] },
    status: 'completed',
    at: new Date(Date.now() - LONG_AGO_MS).toISOString(),
  })
  await loseRuns()
  expect(await sweep()).toMatchObject({ inbox: 1 })
  expect(await ended(house, redemption)).toMatchObject({ status: 'applied' })
  await expect
    .poll(
      async () =>
        (
          await house.owner.query(
            'select count(*)::int as n from inbox where payment = $1 and processed_at is null',
            [payment],
          )
        ).rows[0].n,
    )
    .toBe(0)
  expect(foundBy(await sweep())).toEqual([])
  expect(await house.reconcile()).toEqual([])
})

test('acts on an overdue fulfilment whose run was lost, once for each notice that is due', async () => {
  const { redemption } = await redeemItem(house, { start: false, deadlineMs: -LONG_AGO_MS })
  expect(await sweep()).toMatchObject({ fulfillments: 1 })
  expect(house.reconciled).toMatchObject({ fulfillments: 1 })
  expect(foundBy(await sweep())).toEqual([])
  expect(await eventsOf(house, redemption)).toEqual(['created', 'fulfillment_overdue'])
  const row = await redemptionOf(house, redemption)
  expect(row.overdueAt?.getTime()).toBe(Date.parse(row.fulfillment?.deadline ?? '') + DAY_MS)
})

test('a kind that fails keeps no other from its turn, and the run says so at its end', async () => {
  const { redemption } = await redeemItem(house, { start: false, deadlineMs: -LONG_AGO_MS })
  await house.owner.query(`
    insert into idempotency_key (workspace, route, key, fingerprint, resource, created_at)
    values ('ws_old', 'POST /x', 'old', '', '', now() - interval '25 hours')`)
  const name = 'redemptions_overdue'
  const { rows } = await house.owner.query(
    `select oidvectortypes(proargtypes) as types from pg_proc
     where proname = $1 and pronamespace = 'ledger'::regnamespace`,
    [name],
  )
  await house.owner.query(`alter function ledger.${name}(${rows[0].types}) rename to gone`)
  try {
    await expect(sweep()).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining('redemptions_overdue') } },
    })
  } finally {
    await house.owner.query(`alter function ledger.gone(${rows[0].types}) rename to ${name}`)
  }
  expect(await eventsOf(house, redemption)).toEqual(['created', 'fulfillment_overdue'])
  const left = await house.owner.query(
    `select count(*)::int as keys from idempotency_key where key = 'old'`,
  )
  expect(left.rows).toEqual([{ keys: 0 }])
})

test('is scheduled every minute, once, however often a worker starts', async () => {
  await scheduleReconciler(house.engine)
  await scheduleReconciler(house.engine)
  const { spec, policies } = await house.engine.client.schedule
    .getHandle(RECONCILER_SCHEDULE_ID)
    .describe()
  expect(spec.intervals).toMatchObject([{ every: 60_000 }])
  expect(policies.overlap).toBe('SKIP')
  await house.engine.client.schedule.getHandle(RECONCILER_SCHEDULE_ID).delete()
})

test('a schedule that an earlier version made is brought up to date, once, and stays paused where it was', async () => {
  const { schedule } = house.engine.client
  const handle = await schedule.create({
    scheduleId: RECONCILER_SCHEDULE_ID,
    spec: { intervals: [{ every: '1 hour', offset: '7 minutes' }], calendars: [{ hour: 3 }] },
    policies: { overlap: 'ALLOW_ALL', catchupWindow: '1 day' },
    state: { paused: true, note: 'for the night' },
    action: {
      type: 'startWorkflow',
      workflowType: 'oldName',
      workflowId: 'old',
      taskQueue: 'another',
    },
  })
  try {
    await scheduleReconciler(house.engine)
    const { spec, policies, action, state, info } = await handle.describe()
    expect(spec).toMatchObject({ intervals: [{ every: 60_000, offset: 0 }], calendars: [] })
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 60_000 })
    expect(action).toMatchObject({
      workflowType: WORKFLOW.reconciler,
      workflowId: RECONCILER_WORKFLOW_ID,
      taskQueue: house.engine.taskQueue,
    })
    expect(state).toMatchObject({ paused: true, note: 'for the night' })
    await scheduleReconciler(house.engine)
    expect((await handle.describe()).info.lastUpdatedAt).toEqual(info.lastUpdatedAt)
  } finally {
    await handle.delete()
  }
})
