import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import { sendRow } from '../../temporal/outbox-call.ts'
import { eventsOf, inMs, openWorkflows, outboxRow, waiting } from './stand-ins.ts'

// No activity is there: one that is called fails the test by the events that it leaves.
let opened: Awaited<ReturnType<typeof openWorkflows>>

beforeAll(async () => {
  opened = await openWorkflows({})
})
afterAll(() => opened.close())

const ws = { workspace: 'ws_1' }
const about = { ...ws, account: 'loy_1', reward: 'rwd_1' }
const open = {
  status: 'requires_payment',
  expiresAt: inMs(86_400_000),
  maturesAt: null,
  unfinished: false,
}

/** Of each type: its input, what its row said at the start, what it says at the end, and how the run ends. */
const KINDS = {
  redemption: {
    input: { ...about, redemption: 'rdm_1', releasesAt: inMs(1_800_000) },
    before: waiting(),
    after: waiting({ status: 'applied', payment: 'pay_1', paymentStatus: 'completed' }),
    ending: { status: 'applied', story: 'Applied: payment pay_1 completed with the discount.' },
  },
  fulfillment: {
    input: { ...about, redemption: 'rdm_1', deadline: inMs(86_400_000) },
    before: waiting({ status: 'fulfillment_pending' }),
    after: waiting({ status: 'reversed', reason: 'mistake' }),
    ending: { status: 'reversed' },
  },
  payment: {
    input: { ...ws, payment: 'pay_1', expiresAt: open.expiresAt },
    before: open,
    after: { ...open, status: 'completed' },
    ending: { status: 'completed' },
  },
  accountExpiry: {
    input: { ...ws, account: 'loy_1', wakesAt: inMs(86_400_000) },
    before: { wakesAt: inMs(86_400_000), shared: true },
    after: { wakesAt: null, shared: false },
    ending: { account: 'loy_1' },
  },
  tierReview: {
    input: { ...ws, account: 'loy_1', reviewsAt: inMs(86_400_000) },
    before: { reviewsAt: inMs(86_400_000) },
    after: { reviewsAt: null },
    ending: { tier: null },
  },
  bulkRun: {
    input: { ...ws, bulk: 'imp_1' },
    before: { status: 'paused' },
    after: { status: 'canceled' },
    ending: { posted: null },
  },
} as const

const kinds = Object.entries(KINDS)
const IN_ONE_TASK = [
  'WORKFLOW_EXECUTION_STARTED',
  'WORKFLOW_EXECUTION_SIGNALED',
  'WORKFLOW_TASK_COMPLETED',
  'MARKER_RECORDED',
  'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
  'WORKFLOW_EXECUTION_COMPLETED',
]
const WITH_STATUS = IN_ONE_TASK.toSpliced(5, 0, 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES')
const eventsOfOneTask = (type: string) =>
  type === WORKFLOW.redemption || type === WORKFLOW.fulfillment ? WITH_STATUS : IN_ONE_TASK

describe('a run whose row ended before it was begun ends in one task, and calls no activity', () => {
  test.for(kinds)('%s', async ([type, { input, after, ending }]) => {
    const id = newId('evt')
    await sendRow(
      opened.engine,
      outboxRow({
        workflow_id: id,
        workflow_type: type,
        input,
        facts: after,
        revision: 2,
        change: 'ended',
      }),
    )
    const run = opened.engine.client.workflow.getHandle(id)
    expect(await run.result()).toMatchObject(ending)
    expect(await eventsOf(opened.engine, id)).toEqual(eventsOfOneTask(type))
  })
})

describe('a delayed run that is signalled the end ends in one task, and calls no activity', () => {
  test.for(kinds)('%s', async ([type, { input, before, after, ending }]) => {
    const id = newId('evt')
    const row = { workflow_id: id, workflow_type: type, input }
    await opened.engine.client.workflow.start(type, {
      workflowId: id,
      taskQueue: opened.engine.taskQueue,
      args: [{ ...input, facts: before, revision: 1 }],
      startDelay: 86_400_000,
    })
    await sendRow(opened.engine, outboxRow({ ...row, facts: after, revision: 2, change: 'ended' }))
    const run = opened.engine.client.workflow.getHandle(id)
    expect(await run.result()).toMatchObject(ending)
    expect(await eventsOf(opened.engine, id)).toEqual(eventsOfOneTask(type))
  })
})
