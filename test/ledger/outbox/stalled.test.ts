import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type OutboxRow, onCommit, SweepConnection } from '../../../db/outbox.ts'
import { newId } from '../../../domain/ids.ts'
import { Breaker } from '../../../temporal/breaker.ts'
import { OutboxSender, type SenderOptions } from '../../../temporal/outbox-sender.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { lend } from '../../support/outbox.ts'
import { gate, ScriptedTemporal, storedRows, writeOutbox } from './scripted.ts'

let database: TestDatabase
let temporal: ScriptedTemporal
let workspace: string
let written: OutboxRow[]

beforeAll(async () => {
  database = await testDatabase()
  await lend(database.owner, 'outbox_write')
  onCommit(database.pool, (_workspace, { rows = [] }) => void written.push(...rows))
})
afterAll(() => database.drop())
beforeEach(() => {
  workspace = newId('ws')
  written = []
  temporal = new ScriptedTemporal()
})

const newSender = ({ isBusy, breaker = new Breaker() }: Partial<SenderOptions> = {}) =>
  new OutboxSender({
    pool: database.pool,
    engine: temporal.engine,
    ...(isBusy && { isBusy }),
    breaker,
    onFailure: ({ error }) => {
      throw error
    },
  })
const write = (ids: string[], facts = {}) => writeOutbox(database.pool, workspace, ids, { facts })
const stored = () => storedRows(database.owner, workspace)
const left = () => expect.poll(async () => (await stored()).map((row) => row.workflow_id))

/** Takes rows as of so long ago: the process stood still since. */
function takeAsOf(sender: OutboxSender, rows: readonly OutboxRow[], agoMs: number): void {
  const nowMs = performance.now()
  const clock = vi.spyOn(performance, 'now').mockReturnValue(nowMs - agoMs)
  sender.take(rows)
  clock.mockRestore()
}

test('a stalled sender that wakes with old facts sends what the row says now', async () => {
  await write(['one'])
  const [old] = written.splice(0)
  await database.owner.query(
    `update workflow_outbox set facts = '{"is": "now"}' where workspace = $1`,
    [workspace],
  )
  const sender = newSender()
  takeAsOf(sender, old === undefined ? [] : [old], 6_000)
  await left().toEqual([])
  expect(temporal.calls.map(({ options }) => options.signalArgs)).toEqual([
    [{ revision: old?.revision, facts: { is: 'now' } }],
  ])
  await sender.close()
})

test('a stalled sender sends nothing that was changed, sent or given to another since', async () => {
  await write(['changed', 'gone', 'claimed', 'still'])
  const old = written.splice(0)
  await write(['changed'])
  await database.owner.query(`delete from workflow_outbox where workflow_id = 'gone'`)
  await database.owner.query(
    `update workflow_outbox set next_attempt_at = now() - interval '1 second' where workflow_id = 'claimed'`,
  )
  const sweep = await SweepConnection.open(database.pool, () => {})
  expect((await sweep.claim(10)).map((row) => row.workflow_id)).toEqual(['claimed'])
  const sender = newSender()
  takeAsOf(sender, old, 60_000)
  await left().toEqual(['changed', 'claimed'])
  expect(temporal.workflows).toEqual(['still'])
  await sender.close()
  await sweep.close()
})

test('the delay of a start is as much shorter as its row was held', async () => {
  await writeOutbox(database.pool, workspace, ['later'], {
    startAt: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const [row] = written.splice(0)
  const sender = newSender()
  takeAsOf(sender, row === undefined ? [] : [row], 4_000)
  await left().toEqual([])
  expect(temporal.calls[0]?.options.startDelay).toBeLessThanOrEqual((row?.start_in_ms ?? 0) - 4_000)
  await sender.close()
})

test('what overflows the queue is due for the sweep at once, and what is held is not', async () => {
  await database.owner.query(
    `insert into workflow_outbox (workspace, workflow_id, workflow_type, input, facts, revision, change, written_at, next_attempt_at)
     select $1, 'row-' || n, 'payment', '{}', '{}', n, 'changed', now(), now() + interval '10 seconds'
     from generate_series(1, 5500) n`,
    [workspace],
  )
  const { rows } = await database.owner.query<{ row: OutboxRow }>(
    'select ledger_private.outbox_row(o) as row from workflow_outbox o where workspace = $1 order by revision',
    [workspace],
  )
  const held = gate()
  temporal.answer = () => held.passed
  const sender = newSender()
  sender.take(rows.map(({ row }) => row))
  const due = async () => (await stored()).filter(({ due_in_ms }) => due_in_ms <= 0).length
  await expect.poll(due).toBe(500)
  expect(sender.size).toBe(5_000)
  held.open()
  await expect.poll(async () => (await stored()).length).toBe(500)
  await sender.close()
})

test('several changes before a send are one call, of the newest revision', async () => {
  await write(['one'], { n: 1 })
  await write(['one'], { n: 2 })
  await write(['one'], { n: 3 })
  const sender = newSender()
  sender.take(written)
  await left().toEqual([])
  expect(temporal.calls.map(({ options }) => options.signalArgs)).toEqual([
    [{ revision: written[2]?.revision, facts: { n: 3 } }],
  ])
  const revisions = written.map(({ revision }) => revision)
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
  await sender.close()
})

test('accounts that share a date share no row: each writer’s is its own', async () => {
  await Promise.all(['loy_a', 'loy_b', 'loy_c'].map((id) => write([`expiry/${workspace}/${id}`])))
  expect(await stored()).toHaveLength(3)
})

test('a row that two processes change is never waited for by its sender', async () => {
  await write(['one'])
  const client = await database.owner.connect()
  await client.query('begin')
  await client.query(`select from workflow_outbox where workspace = $1 for update`, [workspace])
  const sender = newSender()
  sender.take(written)
  await expect.poll(() => temporal.calls.length).toBe(1)
  await sender.close() // its delete passes the locked row over
  await client.query('rollback')
  client.release()
  expect(await stored()).toHaveLength(1)
})

const UNAVAILABLE = 14

const some = (prefix: string) =>
  Array.from({ length: 20 }, (_, n) => `${prefix}-${String(n).padStart(2, '0')}`)

test('rows that wait for more than five seconds take their share of a busy process', async () => {
  await write(some('row-a')) // a commit hands on twenty at most
  await write(some('row-b'))
  const held = gate()
  temporal.answer = () => held.passed
  const sender = newSender({ isBusy: () => true })
  takeAsOf(sender, written, 4_000)
  // before the calls' own 3 s are over, after which others take their places
  await expect.poll(() => temporal.inFlight, { timeout: 2_500 }).toBe(2)
  const late = newSender({ isBusy: () => true })
  takeAsOf(late, written, 6_000)
  await expect.poll(() => temporal.inFlight, { timeout: 2_500 }).toBe(2 + 8)
  held.open()
  await left().toEqual([])
  await Promise.all([sender.close(), late.close()])
})

test('of what is late three of four places are for the oldest', async () => {
  await write(some('row-a'))
  await write(some('row-b'))
  const held = gate()
  temporal.answer = () => held.passed
  const sender = newSender({ isBusy: () => true })
  takeAsOf(sender, written, 6_000)
  await expect.poll(() => temporal.inFlight).toBe(8)
  const oldest = some('row-a').slice(0, 6)
  expect(temporal.workflows.toSorted()).toEqual([...oldest, 'row-b-18', 'row-b-19'])
  held.open()
  await left().toEqual([])
  await sender.close()
})

test('rows that are being read again when their sender closes are due at once', async () => {
  await write(some('row'))
  const lock = await database.owner.connect()
  await lock.query('begin')
  await lock.query('lock table workflow_outbox in exclusive mode') // the read waits for it
  const sender = newSender()
  takeAsOf(sender, written, 6_000)
  const closed = sender.close()
  setTimeout(() => void lock.query('rollback').then(() => lock.release()), 3_500)
  await closed
  expect((await stored()).filter(({ due_in_ms }) => due_in_ms > 0)).toEqual([])
  expect(temporal.calls).toEqual([])
})

test('a write begins at once where this process keeps up, else when a row was sent or 200 ms have passed', async () => {
  await write(some('row'))
  const held = gate()
  temporal.answer = () => held.passed
  const sender = newSender({ isBusy: () => true })
  expect(sender.room()).toBeUndefined()
  takeAsOf(sender, written, 6_000)
  const began = performance.now()
  await sender.room()
  expect(performance.now() - began).toBeGreaterThan(190)
  const begins: string[] = []
  const writes = ['first', 'second'].map(async (name) => {
    await sender.room()
    begins.push(name)
  })
  held.open()
  await Promise.all(writes)
  expect(begins).toEqual(['first', 'second'])
  await left().toEqual([])
  expect(sender.room()).toBeUndefined()
  await sender.close()
})

test('no write waits for room while Temporal is away', async () => {
  await write(some('row'))
  const breaker = new Breaker()
  breaker.failed(UNAVAILABLE, new Error('away'))
  const sender = newSender({ breaker })
  takeAsOf(sender, written, 6_000)
  expect(sender.room()).toBeUndefined()
  breaker.answered()
  await left().toEqual([])
  await sender.close()
})
