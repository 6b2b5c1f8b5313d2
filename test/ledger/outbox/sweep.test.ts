import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { onCommit, SweepConnection } from '../../../db/outbox.ts'
import { newId } from '../../../domain/ids.ts'
import { Breaker } from '../../../temporal/breaker.ts'
import { OutboxSender } from '../../../temporal/outbox-sender.ts'
import { OutboxSweep } from '../../../temporal/outbox-sweep.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { lend } from '../../support/outbox.ts'
import { gate, grpcError, ScriptedTemporal, storedRows, writeOutbox } from './scripted.ts'

const UNAVAILABLE = 14
const INVALID_ARGUMENT = 3

let database: TestDatabase
let temporal: ScriptedTemporal
let workspace: string
let failures: string[]
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  database = await testDatabase()
  await lend(database.owner, 'outbox_write')
  onCommit(database.pool, () => {}) // every process that wrote a row died before it was sent
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.owner.query('truncate workflow_outbox')
  workspace = newId('ws')
  temporal = new ScriptedTemporal()
  failures = []
})
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

const onFailure = ({ kind }: { kind: string }) => void failures.push(kind)

/** A process with a sender and a sweep. */
function startSweep({ on = temporal, perSecond = 5_000 } = {}) {
  const breaker = new Breaker(() => failures.push('temporal_away'))
  const parts = { pool: database.pool, engine: on.engine, onFailure, breaker }
  const sender = new OutboxSender(parts)
  const sweep = new OutboxSweep({ ...parts, sender, perSecond, checkEveryMs: 20 })
  sweep.start()
  const close = async () => {
    await sweep.close()
    await sender.close()
  }
  opened.push({ close })
  return { close }
}
const claims = async () => {
  const connection = await SweepConnection.open(database.pool, () => {})
  opened.push(connection)
  return connection
}

const write = (ids: string[], writing?: Parameters<typeof writeOutbox>[3]) =>
  writeOutbox(database.pool, workspace, ids, writing)
const due = (where = 'true', ago = '1 minute') =>
  database.owner.query(
    `update workflow_outbox set next_attempt_at = now() - $1::interval where ${where}`,
    [ago],
  )
const stored = () => storedRows(database.owner, workspace)
const left = () => expect.poll(async () => (await stored()).map((row) => row.workflow_id))
const ids = (rows: { workflow_id: string }[]) => rows.map(({ workflow_id }) => workflow_id).sort()

test('a row whose process died between commit and send is swept once its ten seconds are over, not before', async () => {
  await write(['dead', 'alive'])
  await due(`workflow_id = 'dead'`)
  startSweep()
  await left().toEqual(['alive'])
  expect(temporal.workflows).toEqual(['dead'])
})

test('a row whose process died between send and delete is sent again, which changes nothing', async () => {
  await write(['sent'], { type: 'redemption', change: 'new' })
  await due()
  temporal.answer = () => {
    throw new WorkflowExecutionAlreadyStartedError('already started', 'sent', 'redemption')
  }
  startSweep()
  await left().toEqual([])
  expect(failures).toEqual([])
})

test('a claim is the sweep’s for thirty seconds, then another’s: it died in between', async () => {
  await write(['one', 'two'])
  await due()
  const dead = await claims()
  expect(ids(await dead.claim(10))).toEqual(['one', 'two'])
  for (const row of await stored()) expect(row.due_in_ms).toBeCloseTo(30_000, -4)
  expect(await dead.claim(10)).toEqual([])
  await dead.close()
  opened.splice(0)
  startSweep()
  expect(temporal.calls).toEqual([])
  await due(`next_attempt_at > now()`)
  await left().toEqual([])
})

test('one sweep at a time: a second one tries the lock, and takes over when the first process is gone', async () => {
  const [first, second] = [await claims(), await claims()]
  expect([await first.leads(), await second.leads(), await first.leads()]).toEqual([
    true,
    false,
    true,
  ])
  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
       and database = (select oid from pg_database where datname = current_database())`,
  )
  await expect.poll(() => second.leads()).toBe(true)
  opened.splice(opened.indexOf(first), 1)
})

test('two sweeps at once send nothing twice', async () => {
  const all = Array.from({ length: 200 }, (_, i) => `row-${i}`)
  await write(all)
  await due()
  // even where the lock is no help, as between two that both believe they lead
  const [first, second] = [await claims(), await claims()]
  const taken: string[] = []
  for (let n = 0; n < 20; n++) {
    const both = await Promise.all([first.claim(10), second.claim(10)])
    taken.push(...ids(both.flat()))
  }
  expect(taken.sort()).toEqual(all.sort())
  await due()
  startSweep()
  startSweep()
  await left().toEqual([])
  expect(temporal.workflows.length).toBe(200)
})

test('a claim holds no lock and no transaction during a call to Temporal', async () => {
  await write(['one'])
  await due()
  const held = gate()
  temporal.answer = () => held.passed
  startSweep()
  await expect.poll(() => temporal.inFlight).toBe(1)
  const { rows } = await database.owner.query(
    `select count(*) filter (where state like 'idle in transaction%')::int as open,
       (select count(*)::int from pg_locks l where l.relation = 'workflow_outbox'::regclass
         and l.pid in (select pid from pg_stat_activity where backend_type = 'client backend')
         and l.pid <> pg_backend_pid()) as locks
     from pg_stat_activity where datname = current_database()`,
  )
  expect(rows).toEqual([{ open: 0, locks: 0 }])
  const writing = performance.now()
  await write(['one'], { facts: { is: 'new' } })
  expect(performance.now() - writing).toBeLessThan(2_000)
  held.open()
  // what was sent is not what is there now: that stays, for whoever wrote it
  await expect.poll(async () => (await stored()).map(({ facts }) => facts)).toEqual([{ is: 'new' }])
})

test('those that wait come before those that have ended, and of each half of the places go to the newest', async () => {
  await write(['w-1', 'w-2', 'w-3', 'w-4', 'w-5', 'w-6'])
  await write(['e-1', 'e-2', 'e-3', 'e-4'], { change: 'ended' })
  await database.owner.query(
    `update workflow_outbox set next_attempt_at = now() - interval '1 hour'
       + right(workflow_id, 1)::int * interval '1 minute'`,
  )
  const sweep = await claims()
  expect(ids(await sweep.claim(4))).toEqual(['w-1', 'w-2', 'w-5', 'w-6'])
  expect(ids(await sweep.claim(4))).toEqual(['e-1', 'e-4', 'w-3', 'w-4'])
  expect(ids(await sweep.claim(4))).toEqual(['e-2', 'e-3'])
})

test('the delay of a start is computed at the claim', async () => {
  await write(['later'], { startAt: new Date(Date.now() + 60_000).toISOString() })
  await write(['past'], { startAt: new Date(Date.now() - 60_000).toISOString() })
  await due()
  const sweep = await claims()
  const rows = await sweep.claim(10)
  const delays = Object.fromEntries(rows.map((row) => [row.workflow_id, row.start_in_ms]))
  expect(delays.past).toBe(0)
  expect(delays.later).toBeGreaterThan(30_000)
  expect(delays.later).toBeLessThanOrEqual(60_000)
})

test('a row whose sending always fails stays, and a thousand beside it are sent', async () => {
  const good = Array.from({ length: 1_000 }, (_, i) => `good-${i}`)
  await write(['a-bad', ...good])
  await due()
  temporal.answer = ({ workflow }) => {
    if (workflow === 'a-bad') throw grpcError(INVALID_ARGUMENT)
  }
  startSweep()
  await left().toEqual(['a-bad'])
  await expect.poll(async () => (await stored())[0]?.attempts).toBe(1)
  expect((await stored())[0]?.due_in_ms).toBeGreaterThan(0)
  await due()
  await expect.poll(async () => (await stored())[0]?.attempts).toBe(2)
  expect(new Set(temporal.workflows).size).toBe(1_001)
})

test('while Temporal is away a sweep asks with one row, and catches up when it is back', async () => {
  const all = Array.from({ length: 100 }, (_, i) => `row-${i}`)
  await write(all)
  await due()
  let away = true
  temporal.answer = () => {
    if (away) throw grpcError(UNAVAILABLE)
  }
  startSweep()
  await expect.poll(() => failures).toEqual(['temporal_away'])
  const before = temporal.calls.length
  await expect.poll(() => temporal.calls.length).toBeGreaterThan(before + 1)
  expect((await stored()).every(({ attempts }) => attempts === 0)).toBe(true)
  expect((await stored()).filter(({ due_in_ms }) => due_in_ms <= 0).length).toBeGreaterThan(40)
  away = false
  await left().toEqual([])
})

test('a sweep whose connection breaks goes on with another', async () => {
  startSweep()
  await expect
    .poll(async () => {
      const { rows } = await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name like '%-sweep'`,
      )
      return rows.length
    })
    .toBe(1)
  await write(['one'])
  await due()
  await left().toEqual([])
})

test('a million rows after an outage keep no new one waiting, and a claim among them takes milliseconds', async () => {
  const outage = await database.owner.connect()
  await outage.query('begin')
  await outage.query(
    `insert into workflow_outbox (workspace, workflow_id, workflow_type, input, facts, revision, change,
       written_at, next_attempt_at)
     select $1, 'old-' || n, 'payment', '{}', '{}', n,
       case when n % 2 = 0 then 'changed' else 'ended' end, now() - interval '1 hour',
       now() - interval '1 hour' + n * interval '1 millisecond'
     from generate_series(1, 1000000) n`,
    [workspace],
  )
  // it finds them unseen yet, and from then on the planner expects none
  await database.owner.query('vacuum workflow_outbox')
  await outage.query('commit')
  outage.release()
  const sweep = await claims()
  await sweep.claim(1)
  await write(['new-1', 'new-2', 'new-3'])
  await due(`workflow_id like 'new-%'`, '1 second')
  const began = performance.now()
  const first = await sweep.claim(50)
  const tookMs = performance.now() - began
  expect(ids(first)).toEqual(expect.arrayContaining(['new-1', 'new-2', 'new-3']))
  expect(first.every(({ change }) => change === 'changed')).toBe(true)
  expect(tookMs).toBeLessThan(2_000) // some milliseconds on a quiet machine; a sort of all takes 3 to 60 seconds
  await sweep.close()
  opened.splice(0)
  await due(`next_attempt_at > now()`, '1 second')
  startSweep()
  await expect.poll(() => temporal.calls.length, { timeout: 120_000 }).toBeGreaterThan(2_000)
  expect(temporal.workflows.slice(0, 100)).toContain('new-1')
}, 300_000)
