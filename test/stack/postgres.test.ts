import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hindranceIn, type Postgres, startPostgres } from '../../dev/postgres.ts'

let folder: string
let dataDir: string
let postgres: Postgres

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  dataDir = join(folder, 'data')
  postgres = await startPostgres({ dataDir })
})

afterAll(async () => {
  await postgres.stop()
  rmSync(folder, { recursive: true })
})

const AT_WORK = `select from pg_stat_activity where state = 'active' and query like 'select sum(n)%'`

async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client(postgres.adminUrl)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

test('what was committed is there after the server was killed and started again', async () => {
  await query('create table kept as select 42 as answer')
  postgres.kill()
  expect(await postgres.exited).toEqual({ code: null, signal: 'SIGKILL' })
  postgres = await startPostgres({ dataDir, port: postgres.port })
  expect(await query('select answer from kept')).toEqual([{ answer: 42 }])
})

test('a server whose predecessor’s last statement still runs waits for that, and has the same port', async () => {
  const logFile = join(folder, 'slow.log')
  const client = new pg.Client(postgres.adminUrl)
  client.on('error', () => {})
  await client.connect()
  // seconds of mere computing, in which a backend does not notice that its server is gone
  const lost = client.query('select sum(n) from generate_series(1, 20000000) n').catch(() => null)
  const { port } = postgres
  await expect.poll(async () => (await query(AT_WORK)).length).toBe(1)
  postgres.kill()
  await postgres.exited
  postgres = await startPostgres({ dataDir, port, logFile })
  await lost
  expect(readFileSync(logFile, 'utf8')).toMatch(/shared memory block .* is still in use/)
  expect(postgres.port).toBe(port)
})

test('a server that an earlier run left behind is stopped first', async () => {
  const left = postgres
  const lines: string[] = []
  postgres = await startPostgres({ dataDir, onProgress: (line) => lines.push(line) })
  expect(await left.exited).toEqual({ code: 0, signal: null })
  expect(lines).toEqual([
    `Stopping the Postgres that an earlier run left behind (process ${left.pid})`,
  ])
})

test('a lock file whose process id belongs to something else now does not hinder a start', async () => {
  await postgres.stop()
  writeFileSync(join(dataDir, 'postmaster.pid'), `${process.pid}\n${dataDir}\n1\n5432\n`)
  postgres = await startPostgres({ dataDir })
  expect(await query('select 1 as one')).toEqual([{ one: 1 }])
})

test('a data directory of another version is refused with what to do', async () => {
  const other = mkdtempSync(join(folder, 'other-'))
  writeFileSync(join(other, 'PG_VERSION'), '12\n')
  await expect(startPostgres({ dataDir: other })).rejects.toThrow('written by Postgres 12')
})

describe('a start that failed', () => {
  const STILL_IN_USE =
    '2026-11-28 20:41:07.112 UTC [4711] FATAL:  pre-existing shared memory block (key 5374211, ID 32769) is still in use\n' +
    '2026-11-28 20:41:07.112 UTC [4711] HINT:  Terminate any old server processes associated with data directory "/data".\n'
  const DYING_BACKEND =
    '2026-11-28 20:41:07.140 UTC [4688] FATAL:  terminating connection due to unexpected postmaster exit\n'
  const REFUSED =
    '2026-11-28 20:41:07.112 UTC [4711] FATAL:  database files are incompatible with server\n'

  test.each([
    [
      'is tried again while processes of a killed server hold its memory',
      STILL_IN_USE,
      'old processes',
    ],
    [
      'also where one of them writes its own end after that',
      STILL_IN_USE + DYING_BACKEND,
      'old processes',
    ],
    [
      'is tried again with another port where its own was just taken',
      '2026-11-28 20:41:07.112 UTC [4711] FATAL:  could not create any TCP/IP sockets\n',
      'port taken',
    ],
    ['is not tried again for what stays as it is', REFUSED, null],
    ['nor where something dies after that', REFUSED + DYING_BACKEND, null],
    ['nor for what an earlier start met', STILL_IN_USE + REFUSED, null],
    ['nor where the log says nothing', '', null],
  ])('%s', (_, log, hindrance) => {
    expect(hindranceIn(log)).toBe(hindrance)
  })
})
