import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OutboxRow } from '../../db/outbox.ts'
import { newId } from '../../domain/ids.ts'
import { sendRow } from '../../temporal/outbox-call.ts'
import { type House, openHouse } from '../support/house.ts'

const HOUR_MS = 3_600_000

let house: House
beforeAll(async () => {
  house = await openHouse({ worker: false }) // nothing takes a task: what is asked is the server
})
afterAll(() => house.close())

const rowOf = (change: OutboxRow['change'], values: Partial<OutboxRow> = {}): OutboxRow => ({
  workspace: house.workspace,
  workflow_id: newId('rdm'),
  workflow_type: 'redemption',
  input: { workspace: house.workspace, redemption: 'rdm_1', account: 'loy_1', reward: 'rwd_1' },
  facts: { status: 'pending' },
  revision: 1,
  change,
  attempts: 0,
  lease: 0,
  start_in_ms: HOUR_MS,
  ...values,
})

const handle = (row: OutboxRow) => house.engine.client.workflow.getHandle(row.workflow_id)
const events = async (row: OutboxRow) =>
  ((await handle(row).fetchHistory()).events ?? []).map((event) =>
    `${Object.keys(event).find((key) => key.endsWith('EventAttributes'))}`.replace(
      /EventAttributes$/,
      '',
    ),
  )
const runOf = async (row: OutboxRow) => {
  const { runId, status } = await handle(row).describe()
  return { runId, status: status.name }
}

test('start answers AlreadyStarted for running and closed runs alike, which counts as sent', async () => {
  const row = rowOf('new')
  await sendRow(house.engine, row)
  const first = await runOf(row)
  expect(await events(row)).toEqual(['workflowExecutionStarted']) // delayed, without a task
  await sendRow(house.engine, row)
  expect(await runOf(row)).toEqual(first)
  await handle(row).terminate()
  await sendRow(house.engine, row)
  expect(await runOf(row)).toEqual({ ...first, status: 'TERMINATED' })
})

test('a signal on a delayed run wakes it', async () => {
  const row = rowOf('new')
  await sendRow(house.engine, row)
  await sendRow(house.engine, { ...row, change: 'changed', revision: 2 })
  expect(await events(row)).toEqual([
    'workflowExecutionStarted',
    'workflowExecutionSignaled',
    'workflowTaskScheduled',
  ])
})

test('something changed that was never begun begins to its date, with its newest facts', async () => {
  const row = rowOf('changed', { revision: 7 })
  await sendRow(house.engine, row)
  expect(await events(row)).not.toContain('workflowTaskScheduled')
  const { raw } = await handle(row).describe()
  const executesMs = Number(raw.workflowExecutionInfo?.executionTime?.seconds) * 1_000
  expect(executesMs - Date.now()).toBeGreaterThan(HOUR_MS / 2)
})

test('something that was terminated begins again when it changes', async () => {
  const failed = rowOf('changed')
  await sendRow(house.engine, failed)
  const before = await runOf(failed)
  await handle(failed).terminate()
  await sendRow(house.engine, failed)
  expect(await runOf(failed)).toEqual({
    runId: expect.not.stringMatching(before.runId),
    status: 'RUNNING',
  })
})

test('something ended opens no closed run, and begins one at once that was never begun', async () => {
  const closed = rowOf('new')
  await sendRow(house.engine, closed)
  await handle(closed).terminate()
  const before = await runOf(closed)
  await sendRow(house.engine, { ...closed, change: 'ended', revision: 2 })
  expect(await runOf(closed)).toEqual(before)

  const never = rowOf('ended', { facts: { status: 'released' } })
  await sendRow(house.engine, never)
  expect(await events(never)).toContain('workflowTaskScheduled')
})

test('something ended wakes its delayed run, which then ends', async () => {
  const row = rowOf('new')
  await sendRow(house.engine, row)
  await sendRow(house.engine, { ...row, change: 'ended', revision: 2 })
  expect(await events(row)).toContain('workflowTaskScheduled')
})

test('every other kind ends and begins again under one id', async () => {
  const row = rowOf('changed', { workflow_type: 'payment', workflow_id: newId('pay') })
  await sendRow(house.engine, row)
  const before = await runOf(row)
  await handle(row).terminate()
  await sendRow(house.engine, { ...row, change: 'new' })
  const after = await runOf(row)
  expect(after.status).toBe('RUNNING')
  expect(after.runId).not.toBe(before.runId)
})
