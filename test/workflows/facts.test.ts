import { ApplicationFailure } from '@temporalio/common'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Settlement } from '../../activities/redemption.ts'
import { newId } from '../../domain/ids.ts'
import type { RedemptionFacts } from '../../domain/redemption-summary.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import { sendRow } from '../../temporal/outbox-call.ts'
import { rowChanged } from '../../workflows/messages.ts'
import { eventsOf, inMs, openWorkflows, outboxRow, waiting } from './stand-ins.ts'

let opened: Awaited<ReturnType<typeof openWorkflows>>
let calls: string[] = []
/** What the next writes answer, in order. */
let answers: (() => Promise<Settlement>)[] = []

const answer = (name: string) => async (): Promise<Settlement> => {
  calls.push(name)
  const next = answers.shift()
  if (next === undefined) throw new Error(`${name} was not expected`)
  return next()
}

beforeAll(async () => {
  opened = await openWorkflows({
    releaseDueRedemption: answer('releaseDueRedemption'),
    applyRedemption: answer('applyRedemption'),
    cancelRedemption: answer('cancelRedemption'),
  })
})
afterAll(() => opened.close())
beforeEach(() => {
  calls = []
  answers = []
})

const says = (facts: RedemptionFacts | null, outcome = 'settled') => {
  answers.push(async () => ({ outcome, facts }))
}

/** A redemption's run, begun at revision 5. */
async function begin(facts = waiting()) {
  const id = newId('rdm')
  const input = {
    workspace: 'ws_1',
    redemption: id,
    account: 'loy_1',
    reward: 'rwd_1',
    releasesAt: facts.expiresAt ?? '',
  }
  const row = outboxRow({
    workflow_id: id,
    workflow_type: WORKFLOW.redemption,
    input,
    facts,
    revision: 5,
    change: 'new',
  })
  await sendRow(opened.engine, row)
  const run = opened.engine.client.workflow.getHandle(id)
  const signal = (revision: number, facts: RedemptionFacts) =>
    run.signal(rowChanged, { revision, facts })
  return { id, run, signal, events: () => eventsOf(opened.engine, id) }
}

/** How many answers of writes its history has; the other marker is the patch's. */
const writesIn = async (events: () => Promise<string[]>) =>
  (await events()).filter((event) => event === 'MARKER_RECORDED').length - 1

describe('facts of a redemption', () => {
  test('that come after newer ones do not count', async () => {
    const { run, signal } = await begin()
    await signal(4, waiting({ status: 'applied' }))
    await signal(6, waiting({ status: 'released', reason: 'changed_mind' }))
    expect(await run.result()).toMatchObject({ status: 'released' })
    expect(calls).toEqual([])
  })

  test('that come twice call for nothing the second time', async () => {
    const { run, signal, events } = await begin()
    const processing = waiting({ payment: 'pay_1', paymentStatus: 'processing' })
    await signal(6, processing)
    await signal(6, processing)
    await signal(7, waiting({ status: 'applied', payment: 'pay_1' }))
    expect(await run.result()).toMatchObject({ status: 'applied' })
    expect(calls).toEqual([])
    expect((await events()).filter((event) => event.startsWith('ACTIVITY'))).toEqual([])
  })

  test('that never came are read at the deadline', async () => {
    says(waiting({ status: 'applied', payment: 'pay_1' }))
    const { run } = await begin(waiting({ expiresAt: inMs(300) }))
    expect(await run.result()).toMatchObject({ status: 'applied' })
    expect(calls).toEqual(['releaseDueRedemption'])
  })

  test('of an extension, read at the old deadline, are waited by', async () => {
    says(waiting({ expiresAt: inMs(1_500) }), 'not_due')
    says(waiting({ status: 'released' }), 'released')
    const { run } = await begin(waiting({ expiresAt: inMs(300) }))
    expect(await run.result()).toMatchObject({ status: 'released' })
    expect(calls).toEqual(['releaseDueRedemption', 'releaseDueRedemption'])
  })

  test('that it is due earlier bring the deadline forward', async () => {
    says(waiting({ status: 'released' }), 'released')
    const { run, signal } = await begin()
    await signal(6, waiting({ expiresAt: inMs(200) }))
    expect(await run.result()).toMatchObject({ status: 'released' })
  })

  test('that its payment has completed are acted by, where the request could not', async () => {
    says(waiting({ status: 'applied', payment: 'pay_1' }), 'applied')
    const { run, signal } = await begin()
    await signal(6, waiting({ payment: 'pay_1', paymentStatus: 'completed' }))
    expect(await run.result()).toMatchObject({ status: 'applied' })
    expect(calls).toEqual(['applyRedemption'])
  })

  test('of an answer replace those of a signal, as after a restore', async () => {
    says(waiting({ payment: null, paymentStatus: null }), 'not_attached')
    const { run, signal, events } = await begin()
    await signal(6, waiting({ payment: 'pay_1', paymentStatus: 'completed' }))
    // it waits by the deadline again, and does not apply once more
    await expect.poll(() => writesIn(events)).toBe(1)
    await signal(7, waiting({ status: 'reversed' }))
    expect(await run.result()).toMatchObject({ status: 'reversed' })
    expect(calls).toEqual(['applyRedemption'])
  })

  test('that are not understood fail the task and not the run', async () => {
    const { run, events } = await begin()
    await run.signal(rowChanged, { revision: 6, facts: { state: 'of a later release' } })
    await expect.poll(events, { timeout: 10_000 }).toContain('WORKFLOW_TASK_FAILED')
    expect((await run.describe()).status.name).toBe('RUNNING')
    await run.terminate('the test is over')
  })

  test('of a row that a restore took away end the run with a sentence', async () => {
    says(null, 'missing')
    const { run } = await begin(waiting({ expiresAt: inMs(200) }))
    expect(await run.result()).toMatchObject({ status: 'missing' })
    expect(calls).toEqual(['releaseDueRedemption'])
  })

  test('that ask for what the ledger does not do are acted by once, and again at a change', async () => {
    const unapplied = waiting({ payment: 'pay_1', paymentStatus: 'completed' })
    says(unapplied, 'not_attached')
    says(waiting({ status: 'applied', payment: 'pay_1' }), 'applied')
    const { run, signal, events } = await begin()
    await signal(6, unapplied)
    await expect.poll(() => writesIn(events)).toBe(1)
    expect(calls).toEqual(['applyRedemption'])
    await signal(7, unapplied)
    expect(await run.result()).toMatchObject({ status: 'applied' })
    expect(calls).toEqual(['applyRedemption', 'applyRedemption'])
  })

  test("wait on where an operator's cancel is refused", async () => {
    const processing = waiting({ payment: 'pay_1', paymentStatus: 'processing' })
    says(processing, 'refused')
    const { run, signal, events } = await begin(processing)
    await run.cancel()
    await expect.poll(() => writesIn(events)).toBe(1)
    await signal(6, waiting({ status: 'applied', payment: 'pay_1' }))
    expect(await run.result()).toMatchObject({ status: 'applied' })
    expect(calls).toEqual(['cancelRedemption'])
  })
})

test('a run whose history has become long goes on as a new one, by the same facts', async () => {
  const { run, signal } = await begin()
  const { runId } = await run.describe()
  const long = 'x'.repeat(450_000) // ten of it are more than the 4 MB from which the server suggests it
  let revision = 5
  const another = async () => {
    await signal(++revision, waiting({ reason: long }))
    return (await run.describe()).runId
  }
  await expect.poll(another, { timeout: 100_000 }).not.toBe(runId)
  await signal(revision, waiting({ status: 'applied' })) // the new run knows what the old one was signalled
  await signal(++revision, waiting({ status: 'released' }))
  expect(await run.result()).toMatchObject({ status: 'released' })
}, 120_000)

describe('a write', () => {
  test('that fails thrice is left to an activity on the server', async () => {
    for (let i = 0; i < 4; i++)
      answers.push(() => Promise.reject(new Error('the database is away')))
    says(waiting({ status: 'released' }), 'released')
    const { run, events } = await begin(waiting({ expiresAt: inMs(0) }))
    expect(await run.result()).toMatchObject({ status: 'released' })
    expect(calls).toHaveLength(5)
    // without its tasks: a busy machine may take one more, for the time that three tries take
    expect((await events()).filter((type) => !type.startsWith('WORKFLOW_TASK'))).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'MARKER_RECORDED',
      'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
      'MARKER_RECORDED',
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_COMPLETED',
      'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
      'WORKFLOW_EXECUTION_COMPLETED',
    ])
  })

  test('that still waits for the database is given up once the row has ended', async () => {
    for (let i = 0; i < 100; i++)
      answers.push(() => Promise.reject(new Error('the database is away')))
    const { run, signal } = await begin(waiting({ expiresAt: inMs(200) }))
    await expect.poll(() => calls.length).toBeGreaterThan(3)
    await signal(6, waiting({ status: 'released', reason: 'expired' }))
    expect(await run.result()).toMatchObject({ status: 'released' })
  })

  test('that cannot be done is tried again at a change, and the run goes on', async () => {
    for (let i = 0; i < 2; i++)
      answers.push(() => Promise.reject(ApplicationFailure.nonRetryable('it is broken')))
    says(waiting({ status: 'released' }), 'released')
    const { run, signal, events } = await begin(waiting({ expiresAt: inMs(200) }))
    await expect.poll(events, { timeout: 10_000 }).toContain('ACTIVITY_TASK_FAILED')
    await signal(6, waiting({ expiresAt: inMs(0) }))
    expect(await run.result()).toMatchObject({ status: 'released' })
  })
})
