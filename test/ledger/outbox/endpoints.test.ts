import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { onCommit } from '../../../db/outbox.ts'
import { transact } from '../../../db/workspace-client.ts'
import { newId } from '../../../domain/ids.ts'
import { type AfterCommit, sendAfterCommits } from '../../../temporal/after-commit.ts'
import { Breaker } from '../../../temporal/breaker.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { lend } from '../../support/outbox.ts'
import { gate, grpcError, ScriptedTemporal } from './scripted.ts'

const UNAVAILABLE = 14

let database: TestDatabase
let temporal: ScriptedTemporal
let sender: AfterCommit
let workspace: string
let failures: string[]

beforeAll(async () => {
  database = await testDatabase()
  await lend(database.owner, 'event_write')
})
afterAll(() => database.drop())
beforeEach(async () => {
  workspace = newId('ws')
  temporal = new ScriptedTemporal()
  failures = []
  sender = sendAfterCommits({
    pool: database.pool,
    engine: temporal.engine,
    onFailure: ({ kind }) => void failures.push(kind),
    breaker: new Breaker(() => failures.push('temporal_away')),
  })
})
afterEach(async () => {
  await sender.close()
  onCommit(database.pool, () => {})
})

const endpoint = (id: string, types: string[]) =>
  database.owner.query(
    `insert into webhook_endpoint (workspace, id, url, secret, enabled_events, created_at)
     values ($1, $2, 'https://shop.example', 'whsec_', $3, now())`,
    [workspace, id, types],
  )

/** One commit with so many events. */
const commit = (type: string, events = 1) =>
  transact(database.pool, workspace, async (tx) => {
    for (let n = 0; n < events; n++) {
      await tx.execute(
        sql`select ledger_private.event_write(${workspace}, ${type}, 'loy_1', '{}', null, clock_timestamp())`,
      )
    }
  })

test('an endpoint is signalled once for many events, after their commits', async () => {
  await endpoint('we_1', ['*'])
  await Promise.all(Array.from({ length: 20 }, () => commit('loyalty.account.created', 5)))
  await expect.poll(() => temporal.workflows).toContain('we_1')
  expect(temporal.calls.length).toBeLessThan(10)
  expect(temporal.calls[0]).toMatchObject({ method: 'signalWithStart', type: 'webhook' })
  expect(failures).toEqual([])
})

test('what is written while an endpoint is being signalled is signalled as well', async () => {
  await endpoint('we_1', ['*'])
  const first = gate()
  temporal.answer = () => first.passed
  await commit('loyalty.account.created')
  await expect.poll(() => temporal.inFlight).toBe(1)
  await commit('loyalty.account.created')
  first.open()
  await expect.poll(() => temporal.workflows).toEqual(['we_1', 'we_1'])
})

test('an endpoint at work is left alone, and one that nobody wrote to as well', async () => {
  await endpoint('we_busy', ['*'])
  await endpoint('we_other', ['payment.*'])
  await endpoint('we_idle', ['loyalty.*'])
  await database.owner.query(
    `update webhook_endpoint set busy_until = now() + interval '1 minute' where id = 'we_busy'`,
  )
  await commit('loyalty.account.created')
  await expect.poll(() => temporal.workflows).toEqual(['we_idle'])
})

test('endpoints written to while Temporal is away are signalled when it is back', async () => {
  await endpoint('we_1', ['*'])
  let away = true
  temporal.answer = () => {
    if (away) throw grpcError(UNAVAILABLE)
  }
  await commit('loyalty.account.created')
  await expect.poll(() => failures).toEqual(['temporal_away'])
  const before = temporal.calls.length
  await commit('loyalty.account.created', 3)
  away = false
  await expect.poll(() => temporal.calls.length).toBe(before + 1)
  expect(failures).toEqual(['temporal_away'])
})
