import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Dependencies } from '../../app/dependencies.ts'
import { reconcilerCommands } from '../../app/reconciler.ts'
import { RequestLog } from '../../app/request-log.ts'
import { requestPartitionsCreate, requestPartitionsDrop } from '../../db/ledger.gen.ts'
import { createPool, type Pool } from '../../db/pool.ts'
import { findRequest, listRequests, type RequestRecord } from '../../db/requests.ts'
import type { Failure } from '../../domain/failure.ts'
import { newId, timeOfId } from '../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS)

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

const names = async () => {
  const { rows } = await db.owner.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'request'::regclass order by 1`,
  )
  return rows.map(({ name }) => name)
}
const nameOf = (at: Date) => `day_${at.toISOString().slice(0, 10).replaceAll('-', '')}`

beforeEach(async () => {
  for (const name of await names()) await db.owner.query(`drop table request_partition.${name}`)
})

const record = (workspace: string, at = new Date(), more: Partial<RequestRecord> = {}) => {
  const id = newId('req', at.getTime())
  return {
    workspace,
    id,
    created_at: new Date(timeOfId(id)).toISOString(),
    method: 'POST',
    route: '/v1/loyalty/accounts',
    resource: undefined,
    status: 201,
    error_code: undefined,
    error_param: undefined,
    key: 'key_1',
    has_idempotency_key: false,
    replayed: false,
    duration_ms: 3,
    body: { program: 'prog_default' },
    ...more,
  }
}

function logOn(pool: Pool) {
  const registry = new Registry()
  const failures: Failure[] = []
  const onFailure = (failure: Failure) => void failures.push(failure)
  const log = new RequestLog({ pool, registry, onFailure })
  const dropped = async () =>
    (await registry.getSingleMetric('vinr_requests_dropped_total')?.get())?.values[0]?.value ?? 0
  return { log, failures, dropped }
}

const count = async () => (await db.owner.query('select count(*)::int as n from request')).rows[0].n

test('the partitions of a day, the one before and the three after it are made once', async () => {
  const at = new Date('2026-03-01T00:30:00Z')
  expect(await requestPartitionsCreate(db.pool, { at })).toBe(5)
  expect(await names()).toEqual([
    'day_20260228',
    'day_20260301',
    'day_20260302',
    'day_20260303',
    'day_20260304',
  ])
  expect(await requestPartitionsCreate(db.pool, { at })).toBe(0)
  expect(await requestPartitionsCreate(db.pool, { at: new Date('2026-03-02T23:59:59Z') })).toBe(1)
  const all = await Promise.all(
    [10, 10, 10].map((day) =>
      requestPartitionsCreate(db.pool, { at: new Date(`2026-03-${day}T12:00:00Z`) }),
    ),
  )
  expect(all.toSorted((one, other) => one - other)).toEqual([0, 0, 5])
})

test('partitions of days that are over at a date are dropped with their rows, and no younger one', async () => {
  for (const days of [40, 31, 1]) await requestPartitionsCreate(db.pool, { at: daysAgo(days) })
  const { log } = logOn(db.pool)
  for (const days of [40, 30, 0]) log.take(record('ws_1', daysAgo(days)))
  await log.close()
  expect(await count()).toBe(3)
  const before = await names()
  const cut = daysAgo(30)
  const over = before.filter((name) => name < nameOf(cut))
  expect(await requestPartitionsDrop(db.owner, { before: cut })).toBe(over.length)
  expect(await names()).toEqual(before.filter((name) => name >= nameOf(cut)))
  expect(await count()).toBe(2)
  // whoever asks, today's and tomorrow's stay
  await requestPartitionsDrop(db.owner, { before: daysAgo(-30) })
  expect(await names()).toEqual(before.filter((name) => name >= nameOf(new Date())))
})

test('each minute the next days are made, and those past the days that are kept dropped; with none nothing is made', async () => {
  const keep = (requestLogDays: number) =>
    reconcilerCommands({
      pool: db.pool,
      engine: {} as Dependencies['engine'], // of which this needs nothing
      reconciled: () => {},
      requestLogDays,
    }).keepRequestLog()
  await requestPartitionsCreate(db.pool, { at: daysAgo(40) })
  await requestPartitionsCreate(db.pool, { at: daysAgo(8) })
  expect(await keep(30)).toBe(10)
  expect(await keep(30)).toBe(0)
  expect((await names()).filter((name) => name < nameOf(daysAgo(9)))).toEqual([])
  expect(await keep(7)).toBeGreaterThan(0)
  await keep(0)
  const left = await names()
  expect(left[0]).toBe(nameOf(new Date()))
  for (const name of left) await db.owner.query(`drop table request_partition.${name}`)
  expect([await keep(0), await names()]).toEqual([0, []])
})

test('a reader keeps partitions from being dropped, and nobody waits behind that', async () => {
  await requestPartitionsCreate(db.pool, { at: daysAgo(40) })
  await requestPartitionsCreate(db.pool, { at: new Date() })
  const reader = await db.owner.connect()
  await reader.query('begin')
  await reader.query('select count(*) from request')
  expect(await requestPartitionsDrop(db.owner, { before: daysAgo(30) })).toBe(0)
  expect(await requestPartitionsCreate(db.pool, { at: daysAgo(-10) })).toBe(5) // and these are made all the same
  await reader.query('rollback')
  reader.release()
  expect(await requestPartitionsDrop(db.owner, { before: daysAgo(30) })).toBe(5)
})

test('what has no partition makes it, and is written', async () => {
  const { log, failures, dropped } = logOn(db.pool)
  log.take(record('ws_1'))
  await log.close()
  expect([await count(), await dropped(), failures]).toEqual([1, 0, []])
  expect(await names()).toContain(nameOf(new Date()))
})

test('a workspace sees its own requests alone, and only the log’s owner changes or deletes any', async () => {
  const { log } = logOn(db.pool)
  const [ours, theirs] = [record('ws_1'), record('ws_2')]
  log.take(ours)
  log.take(theirs)
  await log.close()
  const page = { limit: 20 }
  const listed = await listRequests(db.reads, 'ws_1', {}, page)
  expect(listed.rows.map(({ id }) => id)).toEqual([ours.id])
  expect((await findRequest(db.reads, 'ws_1', ours.id))?.body).toEqual(ours.body)
  expect(await findRequest(db.reads, 'ws_1', theirs.id)).toBeUndefined()

  const client = await db.pool.connect()
  await client.query(`select set_config('vinr.workspace', 'ws_1', false)`)
  expect((await client.query('select id from request')).rows).toEqual([{ id: ours.id }])
  const MAY_NOT = /permission denied/
  await expect(client.query(`update request set method = ''`)).rejects.toThrow(MAY_NOT)
  await expect(client.query('delete from request')).rejects.toThrow(MAY_NOT)
  await expect(client.query('truncate request')).rejects.toThrow(MAY_NOT)
  const partition = `request_partition.${nameOf(new Date())}`
  await expect(client.query(`select from ${partition}`)).rejects.toThrow(MAY_NOT)
  client.release(true)
})

test('a window of time, an object and a refusal are read by their indexes, of their days alone', async () => {
  for (const days of [4, 0]) await requestPartitionsCreate(db.pool, { at: daysAgo(days) })
  const { log } = logOn(db.pool)
  const old = record('ws_1', daysAgo(4), { resource: 'loy_1' })
  const young = record('ws_1', new Date(), { status: 422, error_code: 'limit_reached' })
  for (const one of [old, young]) log.take(one)
  await log.close()
  const ids = async (filter: object, created = {}) =>
    (await listRequests(db.reads, 'ws_1', filter, { limit: 5, created })).rows.map(({ id }) => id)
  const day = (days: number) => ({ day: daysAgo(days).toISOString().slice(0, 10) })
  expect(await ids({}, { lt: daysAgo(3) })).toEqual([old.id])
  expect(await ids({}, { gte: daysAgo(3) })).toEqual([young.id])
  expect(await ids({}, { gte: day(4), lte: day(4) })).toEqual([old.id])
  expect(await ids({}, { gt: day(4) })).toEqual([young.id])
  expect(await ids({ resource: 'loy_1' })).toEqual([old.id])
  expect(await ids({ status: 422, errorCode: 'limit_reached' })).toEqual([young.id])

  const client = await db.owner.connect()
  await client.query('set enable_seqscan = off')
  const plan = async (where: string) =>
    (
      await client.query(`explain select * from request where workspace = 'ws_1' and ${where}
       order by id desc limit 20`)
    ).rows
      .map((row) => row['QUERY PLAN'])
      .join('\n')
  const today = nameOf(new Date())
  expect(await plan(`resource = 'loy_1'`)).toContain(`${today}_workspace_resource_id_idx`)
  expect(await plan(`status = 422`)).toContain(`${today}_workspace_status_id_idx`)
  const pruned = await plan(`id >= '${newId('req', Date.now() - 1_000)}'`)
  expect(pruned).not.toContain(nameOf(daysAgo(4)))
  client.release(true)
})

test('while the database is away requests are taken, kept and written later, and said to fail once', async () => {
  const url = new URL(db.url)
  url.port = '9'
  const away = createPool({ url: url.href, max: 1 })
  const { log, failures, dropped } = logOn(away)
  const started = performance.now()
  for (let n = 0; n < 500; n++) log.take(record('ws_1'))
  expect(performance.now() - started).toBeLessThan(100)
  await expect.poll(() => failures.length).toBe(1)
  expect(failures[0]?.kind).toBe('request_log')
  expect(await dropped()).toBe(0)
  Object.assign(away.options, { connectionString: db.url })
  await expect.poll(count).toBe(500)
  expect(failures).toHaveLength(1)
  await log.close()
  await away.end()
})

test('what a full buffer has no place for is dropped and counted, and so is what could not be written at the end', async () => {
  const url = new URL(db.url)
  url.port = '9'
  const away = createPool({ url: url.href, max: 1 })
  const { log, dropped } = logOn(away)
  for (let n = 0; n < 10_100; n++) log.take(record('ws_1'))
  expect(await dropped()).toBe(100)
  await log.close()
  log.take(record('ws_1')) // it takes no more
  expect(await dropped()).toBe(10_100)
  await away.end()
})

test('one record that the database refuses takes no other with it', async () => {
  const { log, failures, dropped } = logOn(db.pool)
  log.take(record('ws_1'))
  log.take(record('ws_1', new Date(), { key: 'a\0b' }))
  log.take(record('ws_1', daysAgo(400))) // a day that nobody makes
  log.take(record('ws_1', new Date(), { body: { name: 'x'.repeat(20_000) } }))
  await log.close()
  expect([await count(), await dropped()]).toEqual([2, 2])
  expect(failures.every(({ kind }) => kind === 'request_log')).toBe(true)
  const { rows } = await db.owner.query('select body from request where body is null')
  expect(rows).toHaveLength(1)
})
