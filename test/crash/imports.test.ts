import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Processes } from '../support/processes.ts'

const IMPORTS = '/v1/loyalty/imports'
const MEMBERS = 200
const ROWS = 6_000

let all: Processes
let accounts: string[]

beforeAll(async () => {
  all = await Processes.start()
  accounts = Array.from({ length: MEMBERS }, (_, i) => `loy_crash${String(i).padStart(4, '0')}`)
  await all.owner.query(
    `insert into account (workspace, id, program) select $1, unnest($2::text[]), 'prog_default'`,
    [all.workspace, accounts],
  )
})
afterEach(async () => {
  expect(await all.reconcile()).toEqual([])
})
afterAll(() => all.stop())

/** Each member many times over, every fourth row a debit of what came before it. */
const file = (marked = '') =>
  Array.from({ length: ROWS }, (_, i) =>
    JSON.stringify({
      account: marked !== '' && i === ROWS / 2 ? marked : accounts[i % MEMBERS],
      amount: Math.floor(i / MEMBERS) % 4 === 3 ? -10 : 5,
      key: String(i),
    }),
  ).join('\n')

const SUM = Array.from({ length: ROWS }, (_, i) =>
  Math.floor(i / MEMBERS) % 4 === 3 ? -10 : 5,
).reduce((sum, amount) => sum + amount, 0)

async function send(body: string, batch: string) {
  const answer = await fetch(`http://127.0.0.1:${all.ports.api}${IMPORTS}?batch=${batch}`, {
    method: 'POST',
    headers: {
      'X-Api-Key': all.apiKey,
      'Content-Type': 'application/x-ndjson',
      'Idempotency-Key': batch,
    },
    body,
  })
  const { id, error } = (await answer.json()) as { id: string; error?: unknown }
  return { status: answer.status, id, error }
}

const statusOf = async (path: string) => (await all.request('GET', path)).body
const completed = (path: string) =>
  expect.poll(async () => (await statusOf(path)).status, { timeout: 90_000, interval: 250 })

const written = async (batch: string) =>
  (
    await all.owner.query(
      `select count(*)::int as n, count(distinct operation)::int as operations, coalesce(sum(amount), 0)::int as sum
       from ptx where batch = $1`,
      [batch],
    )
  ).rows[0]
/** Files being read, and their chunks; a process that died leaves both until it is missed for a minute. */
const uploads = async () =>
  (
    await all.owner.query(
      `select (select count(*)::int from bulk_upload) as files,
         (select count(*)::int from bulk_chunk where bulk like 'upl%') as chunks`,
    )
  ).rows[0]
const aMinuteLater = () =>
  all.owner.query(`update bulk_upload set alive_at = alive_at - interval '1 minute'`)
const bulks = async () => (await all.owner.query('select count(*)::int as n from bulk')).rows[0].n

/** The worker writes until it waits for this member's lock; then it is killed, its transaction ended or not. */
async function killWorkerAt(
  lock: Awaited<ReturnType<Processes['holdAccount']>>,
  when: string,
): Promise<void> {
  await expect.poll(() => lock.waiters(), { timeout: 30_000 }).toHaveLength(1)
  const [backend] = await lock.waiters()
  await all.kill('worker')
  if (when === 'before a chunk is written') await all.terminate(backend)
  await lock.release() // a backend that still waits writes its chunk, and has nobody to answer
}

const WHEN = [
  'before a chunk is written',
  'after a chunk is written, before it is reported',
] as const

describe.each(WHEN)('the worker dies %s', (when) => {
  const name = when.split(' ', 1).join()

  test('of an import: another one ends it, and every row is there once', async () => {
    const member = accounts[7] ?? ''
    const lock = await all.holdAccount(member)
    const { status, id } = await send(file(), `import-${name}`)
    expect(status).toBe(201)
    await killWorkerAt(lock, when)
    await all.startWorker()
    await completed(`${IMPORTS}/${id}`).toBe('completed')
    expect(await statusOf(`${IMPORTS}/${id}`)).toMatchObject({ posted: ROWS, refused: 0 })
    expect(await written(`import-${name}`)).toEqual({ n: ROWS, operations: ROWS, sum: SUM })
  })

  test('of a batch’s reversal: another one ends it, and every row is undone once', async () => {
    const { id } = await send(file(), `undone-${name}`)
    await completed(`${IMPORTS}/${id}`).toBe('completed')
    const balances = async () =>
      (await all.owner.query('select sum(balance)::int as sum from account')).rows[0].sum
    const before = await balances()
    const path = `/v1/loyalty/batches/undone-${name}/reverse`
    const asked = await all.request('POST', path)
    const reversal = `/v1/loyalty/batch_reversals/${asked.body.id}`
    await expect
      .poll(async () => (await statusOf(reversal)).posted, { timeout: 30_000, interval: 20 })
      .toBeGreaterThan(0)
    const lock = await all.holdAccount(accounts[7] ?? '')
    await killWorkerAt(lock, when)
    await all.startWorker()
    await completed(reversal).toBe('completed')
    expect(await statusOf(reversal)).toMatchObject({ posted: ROWS, refused: 0 })
    expect(await balances()).toBe(before - SUM)
    const { rows } = await all.owner.query(
      `select count(*)::int as n, count(distinct r.reverses)::int as reversed
       from ptx t join ptx r on r.workspace = t.workspace and r.reverses = t.id where t.batch = $1`,
      [`undone-${name}`],
    )
    expect(rows[0]).toEqual({ n: ROWS, reversed: ROWS })
  })
})

test('the API dies while a file is sent: nothing stays of it, and the file sent again is imported once', async () => {
  const before = await bulks()
  const body = file()
  const upload = request({
    port: all.ports.api,
    host: '127.0.0.1',
    path: `${IMPORTS}?batch=cut`,
    method: 'POST',
    headers: {
      'X-Api-Key': all.apiKey,
      'Content-Type': 'application/x-ndjson',
      'Idempotency-Key': 'cut',
    },
  })
  const broken = once(upload, 'error').catch(() => {})
  await new Promise<void>((resolve) =>
    upload.write(body.slice(0, body.length / 2), () => resolve()),
  )
  await expect.poll(async () => (await uploads()).chunks, { timeout: 30_000 }).toBeGreaterThan(3)
  await all.kill('api')
  await broken
  await all.startApi()
  expect([await bulks(), (await written('cut')).n]).toEqual([before, 0])
  expect((await uploads()).files).toBe(1)
  await aMinuteLater()
  const { status, id } = await send(body, 'cut')
  expect(status).toBe(201)
  expect(await uploads()).toEqual({ files: 0, chunks: 0 })
  await completed(`${IMPORTS}/${id}`).toBe('completed')
  expect(await written('cut')).toEqual({ n: ROWS, operations: ROWS, sum: SUM })
})

test('the API dies while it stores the checked rows: nothing of them stays, and the file sent again is imported once', async () => {
  const before = await bulks()
  const blocker = await all.owner.connect()
  await blocker.query('begin')
  await blocker.query('lock table bulk_chunk in exclusive mode')
  const lost = send(file(), 'stored').catch(() => 'connection lost')
  const waits = `select count(*)::int as n from pg_locks where not granted and relation = 'bulk_chunk'::regclass`
  await expect
    .poll(async () => (await all.owner.query(waits)).rows[0].n, { timeout: 30_000 })
    .toBe(1)
  await all.kill('api')
  await blocker.query('rollback')
  blocker.release()
  expect(await lost).toBe('connection lost')
  await all.startApi()
  expect(await bulks()).toBe(before)
  await aMinuteLater()
  const { status, id } = await send(file(), 'stored')
  expect(status).toBe(201)
  expect(await uploads()).toEqual({ files: 0, chunks: 0 })
  await completed(`${IMPORTS}/${id}`).toBe('completed')
  expect(await written('stored')).toEqual({ n: ROWS, operations: ROWS, sum: SUM })
})

test('the API dies while the import takes its chunks: it is not there, and the file sent again is imported once', async () => {
  const before = await bulks()
  const blocker = await all.owner.connect()
  await blocker.query('begin')
  await blocker.query('lock table bulk in exclusive mode')
  const lost = send(file(), 'taken').catch(() => 'connection lost')
  const waits = `select pid from pg_locks where not granted and relation = 'bulk'::regclass`
  await expect
    .poll(async () => (await all.owner.query(waits)).rowCount, { timeout: 30_000 })
    .toBe(1)
  const [backend] = (await all.owner.query(waits)).rows
  await all.kill('api')
  await all.terminate(backend.pid)
  await blocker.query('rollback')
  blocker.release()
  expect(await lost).toBe('connection lost')
  await all.startApi()
  expect(await bulks()).toBe(before)
  expect((await uploads()).chunks).toBeGreaterThan(0)
  await aMinuteLater()
  const { status, id } = await send(file(), 'taken')
  expect(status).toBe(201)
  expect(await uploads()).toEqual({ files: 0, chunks: 0 })
  await completed(`${IMPORTS}/${id}`).toBe('completed')
  expect(await written('taken')).toEqual({ n: ROWS, operations: ROWS, sum: SUM })
})

test('Temporal is away when the rows are stored: the import is there, and its run begins when it is back', async () => {
  await all.kill('temporal')
  const { status, id } = await send(file(), 'later')
  expect(status).toBe(201)
  await all.startTemporal()
  await completed(`${IMPORTS}/${id}`).toBe('completed')
  expect(await written('later')).toEqual({ n: ROWS, operations: ROWS, sum: SUM })
}, 150_000)
