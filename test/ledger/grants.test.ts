import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../db/migrate.ts'
import { createPool, type Pool } from '../../db/pool.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

let db: TestDatabase
let worker: Pool
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(async () => {
  await worker?.end()
  await db.drop()
})

const MAY_NOT = /permission denied for function/
// What a request has to ask about before it knows its workspace, and what it removes of its own.
const OF_REQUESTS = [
  'api_key_find',
  'bulk_upload_forget',
  'outbox_refused',
  'outbox_release',
  'outbox_renew',
  'outbox_sent',
  'outbox_waiting',
  'payment_endpoint_secrets',
  'payment_secrets_find',
]

/** Names of the functions that run as the owner, and whether a role may execute them. */
const executable = async (role: string) => {
  const { rows } = await db.owner.query<{ name: string; may: boolean }>(
    `select distinct p.proname as name, has_function_privilege($1, p.oid, 'execute') as may
     from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef order by 1`,
    [role],
  )
  return rows
}

test('nobody but the owner throws the totals away, and nobody whom migrate does not name runs anything', async () => {
  await expect(db.pool.query('select ledger_recount()')).rejects.toThrow(MAY_NOT)
  await db.owner.query('select ledger_recount()')
  const { rows } = await db.owner.query(
    `select count(*)::int as n from pg_proc p, aclexplode(p.proacl) a
     where p.pronamespace = 'public'::regnamespace and a.grantee = 0`,
  )
  expect(rows).toEqual([{ n: 0 }])
})

test('keys of the last day are not forgotten, whoever asks', async () => {
  await db.owner.query(
    `insert into idempotency_key (workspace, route, key, fingerprint, resource, created_at)
     values ('ws_1', 'r', 'new', '', '', now()), ('ws_1', 'r', 'old', '', '', now() - interval '25 hours')`,
  )
  await db.pool.query(`select idempotency_forget(now() + interval '1 day')`)
  const { rows } = await db.owner.query('select key from idempotency_key')
  expect(rows).toEqual([{ key: 'new' }])
})

test('a request removes a file that is being read in its own workspace, and no import’s rows', async () => {
  await db.owner.query(
    `insert into bulk_upload (workspace, id, opened_at, alive_at)
     select ws, 'upl_1', now(), now() from unnest(array['ws_1', 'ws_2']) ws`,
  )
  await db.owner.query(
    `insert into bulk_chunk (workspace, bulk, no, rows)
     select ws, bulk, 0, '[]' from unnest(array['ws_1', 'ws_2']) ws, unnest(array['upl_1', 'imp_1']) bulk`,
  )
  const client = await db.pool.connect()
  const forget = (workspace: string, bulk: string) =>
    client.query('select bulk_upload_forget($1, $2)', [workspace, bulk])
  await forget('ws_1', 'upl_1') // no workspace named
  await client.query(`select set_config('vinr.workspace', 'ws_1', false)`)
  for (const workspace of ['ws_1', 'ws_2'])
    for (const bulk of ['upl_1', 'imp_1']) await forget(workspace, bulk)
  await expect(client.query('delete from bulk_chunk')).rejects.toThrow(/permission denied/)
  client.release(true)
  const { rows } = await db.owner.query('select workspace, bulk from bulk_chunk order by 1, 2')
  expect(rows).toEqual([
    { workspace: 'ws_1', bulk: 'imp_1' },
    { workspace: 'ws_2', bulk: 'imp_1' },
    { workspace: 'ws_2', bulk: 'upl_1' },
  ])
})

test('with a role of its own the worker alone looks across workspaces', async () => {
  const url = new URL(db.ownerUrl)
  url.username = url.password = 'engagement_grants_worker'
  const options = { ownerUrl: db.ownerUrl, applicationUrl: db.url, workerUrl: url.href }
  await migrate(options)
  await migrate(options) // as every deployment does
  worker = createPool({ url: url.href, max: 1 })

  await expect(db.pool.query('select * from all_programs()')).rejects.toThrow(MAY_NOT)
  await expect(db.pool.query('select idempotency_forget(now())')).rejects.toThrow(MAY_NOT)
  await worker.query('select * from all_programs()')
  await worker.query('select * from net_overdue_redemptions(now(), 1)')
  await expect(db.pool.query('select net_forget_uploads(1)')).rejects.toThrow(MAY_NOT)
  await worker.query('select ledger_roll_up(), idempotency_forget(now()), net_forget_uploads(1)')
  await expect(worker.query('select ledger_recount()')).rejects.toThrow(MAY_NOT)
  await expect(worker.query('delete from ledger_total')).rejects.toThrow(/permission denied/)

  const application = await executable('engagement_app')
  expect(application.filter(({ may }) => may).map(({ name }) => name)).toEqual(OF_REQUESTS)
  const refused = (await executable('engagement_grants_worker')).filter(({ may }) => !may)
  expect(refused.map(({ name }) => name)).toEqual(['ledger_recount'])
})

test('a worker of the application role goes on as before where no other is named', async () => {
  await migrate({ ownerUrl: db.ownerUrl, applicationUrl: db.url })
  await db.pool.query('select * from all_programs()')
})
