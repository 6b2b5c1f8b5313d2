import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { onCommit } from '../../../db/outbox.ts'
import { newId } from '../../../domain/ids.ts'
import { type AfterCommit, sendAfterCommits } from '../../../temporal/after-commit.ts'
import { Breaker } from '../../../temporal/breaker.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { lend } from '../../support/outbox.ts'
import { gate, grpcError, ScriptedTemporal, storedRows, writeOutbox } from './scripted.ts'

const UNAVAILABLE = 14
const RESOURCE_EXHAUSTED = 8
const INVALID_ARGUMENT = 3

let database: TestDatabase
let temporal: ScriptedTemporal
let sender: AfterCommit
let workspace: string
let failures: string[]
let busy = false

beforeAll(async () => {
  database = await testDatabase()
  await lend(database.owner, 'outbox_write')
})
afterAll(() => database.drop())
beforeEach(() => {
  workspace = newId('ws')
  temporal = new ScriptedTemporal()
  failures = []
  busy = false
  const onFailure = ({ kind }: { kind: string }) => void failures.push(kind)
  sender = sendAfterCommits({
    pool: database.pool,
    engine: temporal.engine,
    onFailure,
    isBusy: () => busy,
    breaker: new Breaker(() => failures.push('temporal_away')),
  })
})
afterEach(async () => {
  await sender.close()
  onCommit(database.pool, () => {})
})

const write = (ids: string[], writing?: Parameters<typeof writeOutbox>[3]) =>
  writeOutbox(database.pool, workspace, ids, writing)
const stored = () => storedRows(database.owner, workspace)
const left = () => expect.poll(async () => (await stored()).map((row) => row.workflow_id))

test('a row is sent after its commit and deleted', async () => {
  await write(['one'])
  await left().toEqual([])
  expect(temporal.workflows).toEqual(['one'])
  expect(failures).toEqual([])
})

test('what is written is not waited for by who wrote it', async () => {
  const held = gate()
  temporal.answer = () => held.passed
  await write(['one'])
  expect(await stored()).toHaveLength(1)
  held.open()
  await left().toEqual([])
})

test('a change during a send keeps its row, and is sent after it', async () => {
  const first = gate()
  temporal.answer = () => first.passed
  await write(['one'], { facts: { is: 'old' } })
  await expect.poll(() => temporal.inFlight).toBe(1)
  await write(['one'], { facts: { is: 'new' } })
  temporal.answer = () => undefined
  const { revision } = (await stored())[0] ?? {}
  first.open()
  await left().toEqual([])
  expect(temporal.calls.map(({ options }) => options.signalArgs)).toEqual([
    [{ revision: expect.any(Number), facts: { is: 'old' } }],
    [{ revision, facts: { is: 'new' } }],
  ])
})

test('only the revision that was sent is deleted', async () => {
  const held = gate()
  temporal.answer = () => held.passed
  await write(['one'])
  await expect.poll(() => temporal.inFlight).toBe(1)
  // by another process, which will send it itself
  await database.owner.query(
    `update workflow_outbox set revision = revision + 1 where workspace = $1`,
    [workspace],
  )
  await write(['two'])
  held.open()
  await left().toEqual(['one'])
})

test('a connection failure touches no row, and one probe a second finds the server again', async () => {
  let away = true
  temporal.answer = () => {
    if (away) throw grpcError(UNAVAILABLE)
  }
  await write(['one', 'two', 'three'])
  await expect.poll(() => failures).toEqual(['temporal_away'])
  await expect.poll(() => temporal.calls.length).toBeGreaterThan(8) // those under way, then probes
  expect((await stored()).map(({ attempts, last_error }) => [attempts, last_error])).toEqual([
    [0, null],
    [0, null],
    [0, null],
  ])
  away = false
})

test('a refusal of the call itself counts on its row, is noted for a person, and is settled once it goes through', async () => {
  temporal.answer = ({ workflow }) => {
    if (workflow === 'bad') throw grpcError(INVALID_ARGUMENT, 'input too large')
  }
  await write(['bad', 'good'])
  await left().toEqual(['bad'])
  await expect.poll(async () => (await stored())[0]?.attempts).toBe(1)
  expect((await stored())[0]).toMatchObject({
    last_error: 'the client around it: input too large',
    due_in_ms: expect.closeTo(2_000, -4),
  })
  expect(failures).toEqual(['outbox'])
  const noted = async () =>
    (
      await database.owner.query(
        'select kind, object, settled_at is not null as settled from attention where workspace = $1',
        [workspace],
      )
    ).rows
  expect(await noted()).toEqual([{ kind: 'workflow_refused', object: 'bad', settled: false }])

  temporal.answer = () => undefined
  await write(['bad'])
  await left().toEqual([])
  expect(await noted()).toEqual([{ kind: 'workflow_refused', object: 'bad', settled: true }])
})

test('while requests are in flight one or two calls are, and else up to eight', async () => {
  const all = gate()
  temporal.answer = () => all.passed
  busy = true
  await write(Array.from({ length: 20 }, (_, i) => `row-${i}`))
  await expect.poll(() => temporal.inFlight).toBe(2)
  busy = false
  await write(['last'])
  await expect.poll(() => temporal.inFlight).toBe(8)
  all.open()
  await left().toEqual([])
  expect(temporal.mostInFlight).toBe(8)
})

test('half of the places are for the newest', async () => {
  const first = gate()
  busy = true
  temporal.answer = () => first.passed
  await write(['row-0'])
  await expect.poll(() => temporal.inFlight).toBe(1)
  await write(['row-1', 'row-2', 'row-3', 'row-4'])
  temporal.answer = () => undefined
  first.open()
  await left().toEqual([])
  const order = temporal.workflows
  expect(order[0]).toBe('row-0')
  expect([order.slice(1, 3).sort(), order.slice(3, 5).sort()]).toEqual([
    ['row-1', 'row-4'],
    ['row-2', 'row-3'],
  ])
})

test('ResourceExhausted halves the calls in flight', async () => {
  const breaker = new Breaker()
  for (const most of [8, 4, 2, 1, 1]) {
    breaker.failed(RESOURCE_EXHAUSTED, new Error('too much'))
    breaker.answered()
    expect([breaker.mayBegin(most - 1, 16), breaker.mayBegin(most, 16)]).toEqual([true, false])
  }
})

test('a sender that closes sends for its time, and makes due at once what it could not', async () => {
  temporal.answer = ({ workflow }) => (workflow === 'hangs' ? gate().passed : undefined)
  await write(['hangs'])
  await expect.poll(() => temporal.inFlight).toBe(1)
  await write(['two', 'three'])
  await sender.close()
  const rows = await stored()
  expect(rows.map(({ workflow_id }) => workflow_id)).toEqual(['hangs'])
  expect(rows[0]?.due_in_ms).toBeLessThanOrEqual(0)
  await write(['late']) // its own time runs, and the sweep has it then
  expect(temporal.workflows).not.toContain('late')
})

test('a sender that closes while Temporal is away waits for nothing', async () => {
  temporal.answer = () => {
    throw grpcError(UNAVAILABLE)
  }
  await write(['one', 'two'])
  await expect.poll(() => failures).toEqual(['temporal_away'])
  await sender.close()
  expect((await stored()).map(({ due_in_ms }) => due_in_ms <= 0)).toEqual([true, true])
})
