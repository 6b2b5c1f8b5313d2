import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { paymentProcess } from '../../db/ledger.gen.ts'
import { type CommitOutput, deleteSent, onCommit } from '../../db/outbox.ts'
import { transact } from '../../db/workspace-client.ts'
import { newId } from '../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { lend } from '../support/outbox.ts'

let database: TestDatabase
const signalled: [string, CommitOutput][] = []
const workspace = newId('ws')

beforeAll(async () => {
  database = await testDatabase()
  await lend(database.owner, 'outbox_write')
  onCommit(database.pool, (about, written) => void signalled.push([about, written]))
})
afterAll(() => database.drop())

const rowsOf = async () =>
  (
    await database.owner.query<{ workflow_id: string; revision: number }>(
      'select * from workflow_outbox where workspace = $1 order by workflow_id',
      [workspace],
    )
  ).rows

const write = (ids: string[]) =>
  transact(database.pool, workspace, async (tx) => {
    await tx.execute(sql`select set_config('vinr.workspace', ${workspace}, true)`)
    for (const id of ids) {
      await tx.execute(sql`select ledger_private.outbox_write(${workspace}, ${id}, 'payment', '{"a": 1}', null,
        '{"status": "open"}', null, 'changed')`)
    }
  })

test('a row is signalled to its process after the commit, once, and with the delay of its start', async () => {
  await write(['one'])
  expect(signalled.splice(0)).toMatchObject([
    [
      workspace,
      {
        deliveries: false,
        rows: [{ workflow_id: 'one', change: 'changed', start_in_ms: 0, attempts: 0 }],
      },
    ],
  ])
  expect(await rowsOf()).toHaveLength(1)
})

test('several changes of one workflow are one row of a higher revision, and what was sent before does not delete it', async () => {
  const [before] = await rowsOf()
  await write(['one'])
  const rows = signalled.splice(0).flatMap(([, written]) => written.rows ?? [])
  expect(rows[0]?.revision).toBeGreaterThan(before?.revision ?? 0)
  await deleteSent(
    database.pool,
    rows.map((row) => ({ ...row, revision: before?.revision ?? 0 })),
  )
  expect(await rowsOf()).toHaveLength(1)
  await deleteSent(database.pool, rows)
  expect(await rowsOf()).toHaveLength(0)
})

test('of many rows of one transaction its process gets twenty, and the sweep the others at once', async () => {
  const ids = Array.from({ length: 25 }, (_, i) => `many-${String(i).padStart(2, '0')}`)
  await write(ids)
  const rows = signalled.splice(0).flatMap(([, written]) => written.rows ?? [])
  expect(rows.map((row) => row.workflow_id)).toEqual(ids.slice(0, 20))
  const due = await database.owner.query<{ workflow_id: string }>(
    `select workflow_id from workflow_outbox where workspace = $1 and next_attempt_at <= clock_timestamp()
     order by workflow_id`,
    [workspace],
  )
  expect(due.rows.map((row) => row.workflow_id)).toEqual(ids.slice(20))
})

test('a call that writes nothing for others signals nobody', async () => {
  await paymentProcess(database.pool, { workspace, id: 'none', at: new Date() })
  expect(signalled).toEqual([])
})
