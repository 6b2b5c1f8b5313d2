import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/owner.ts'
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

const MAY_NOT = /permission denied for (function|schema)/
// What a request has to ask about before it knows its workspace, and what it removes of its own.
const OF_REQUESTS = [
  'api_key_find',
  'api_keys_used',
  'attempts_give_back',
  'attempts_take',
  'bulk_upload_forget',
  'failures_count',
  'memberships_of_user',
  'oidc_sign_in',
  'outbox_refused',
  'outbox_release',
  'outbox_renew',
  'outbox_sent',
  'outbox_waiting',
  'password_hash',
  'password_set',
  'payment_endpoint_secrets',
  'payment_secrets_find',
  'request_partitions_create',
  'session_find',
  'session_start',
  'sessions_end',
  'sessions_of_user',
  'sessions_seen',
  'sign_in_find',
  'team_member_by_email',
  'team_member_ensure',
  'team_member_is_only_of',
  'team_member_rename',
  'token_create',
  'token_find',
  'token_redeem',
]

/** Names of the functions that run as the owner, and whether a role may execute them. */
const executable = async (role: string) => {
  const { rows } = await db.owner.query<{ name: string; may: boolean }>(
    `select distinct p.proname as name, has_function_privilege($1, p.oid, 'execute') as may
     from pg_proc p where p.pronamespace = 'ledger'::regnamespace and p.prosecdef
       and pg_get_userbyid(p.proowner) = 'engagement_owner' order by 1`,
    [role],
  )
  return rows
}

test('nobody but the owner throws the totals away, and nobody whom migrate does not name runs anything', async () => {
  await expect(db.pool.query('select ledger_private.ledger_recount()')).rejects.toThrow(MAY_NOT)
  await db.owner.query('select ledger_private.ledger_recount()')
  const { rows } = await db.owner.query(
    `select count(*)::int as n from pg_proc p, aclexplode(p.proacl) a
     where p.pronamespace::regnamespace::text in ('public', 'ledger', 'ledger_private') and a.grantee = 0`,
  )
  expect(rows).toEqual([{ n: 0 }])
})

test('the application calls entry points alone: none of what only they call, whatever its search path', async () => {
  const client = await db.pool.connect()
  await client.query('set search_path = ledger_private, ledger, public')
  const { rows } = await db.owner.query<{ name: string; given: string }>(
    `select p.proname as name, (
       select coalesce(string_agg('null::' || t::regtype, ', ' order by n), '')
       from unnest(p.proargtypes) with ordinality x (t, n)) as given
     from pg_proc p where p.pronamespace = 'ledger_private'::regnamespace`,
  )
  expect(rows.length).toBeGreaterThan(250)
  for (const { name, given } of rows) {
    const called = client.query(`select ledger_private.${name}(${given})`)
    await expect(called).rejects.toThrow('permission denied for schema ledger_private')
  }
  await expect(client.query(`select vinr_id('ptx')`)).rejects.toThrow(/does not exist/)
  client.release(true)
})

test('entry points run as a role that owns no table, is past no row security and may what the application may', async () => {
  const { rows: roles } = await db.owner.query(
    `select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles
     where rolname = 'vinr_ledger'`,
  )
  expect(roles).toEqual([
    {
      rolcanlogin: false,
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
    },
  ])
  const { rows: tables } = await db.owner.query(
    `select c.relname, pg_get_userbyid(c.relowner) as owner from pg_class c
     cross join unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) x (may)
     where c.relkind in ('r', 'v', 'S') and c.relnamespace = 'public'::regnamespace
       and (pg_get_userbyid(c.relowner) = 'vinr_ledger' or c.relkind <> 'S'
         and has_table_privilege('vinr_ledger', c.oid, x.may)
           <> has_table_privilege('engagement_app', c.oid, x.may))`,
  )
  expect(tables).toEqual([])
})

test('each entry point has its search path, and says so itself where it runs as the owner', async () => {
  const { rows } = await db.owner.query<{ name: string; inlined: boolean; path: string | null }>(
    `select p.proname as name, p.provolatile = 'i' as inlined, (
       select c from unnest(p.proconfig) c where c like 'search_path=%') as path
     from pg_proc p where p.pronamespace = 'ledger'::regnamespace and not (p.prosecdef
       and coalesce('search_path=ledger_private, ledger, public, pg_temp' = any (p.proconfig), false))
     order by 1`,
  )
  // What is immutable reads no row and calls no function of ours.
  expect(rows).toEqual([
    { name: 'local_midnight', inlined: true, path: null },
    { name: 'lot_due_at', inlined: true, path: null },
  ])
})

test('an entry point that forgets its workspace sees and changes nothing of another', async () => {
  await db.owner.query(`
    insert into settings (workspace, entries, updated_at)
      select ws, '{}', now() from unnest(array['ws_1', 'ws_2']) ws;
    create function ledger.forgetful() returns setof text language sql security definer
      set search_path = ledger_private, ledger, public, pg_temp
      as 'update settings set entries = jsonb_build_object($$found$$, 1) returning workspace';
    grant create on schema ledger to vinr_ledger;
    alter function ledger.forgetful() owner to vinr_ledger;
    revoke create on schema ledger from vinr_ledger;
    grant execute on function ledger.forgetful() to engagement_app`)
  const client = await db.pool.connect()
  const forgetful = async () => (await client.query('select ledger.forgetful() as ws')).rows
  expect(await forgetful()).toEqual([])
  await client.query(`select set_config('vinr.workspace', 'ws_1', false)`)
  expect(await forgetful()).toEqual([{ ws: 'ws_1' }])
  client.release(true)
  const { rows } = await db.owner.query(`select workspace from settings where entries ? 'found'`)
  expect(rows).toEqual([{ workspace: 'ws_1' }])
  await db.owner.query('drop function ledger.forgetful()')
})

test('no entry point edits or deletes what is append-only', async () => {
  const { rows } = await db.owner.query(
    `select t, may from unnest('{ptx,allocation,credit_transaction,event,reported_event}'::text[]) t
     cross join unnest('{UPDATE,DELETE,TRUNCATE}'::text[]) may
     where has_table_privilege('vinr_ledger', t, may)`,
  )
  expect(rows).toEqual([])
})

test('keys of the last day are not forgotten, whoever asks', async () => {
  await db.owner.query(
    `insert into idempotency_key (workspace, route, key, fingerprint, resource, created_at)
     values ('ws_1', 'r', 'new', '', '', now()), ('ws_1', 'r', 'old', '', '', now() - interval '25 hours')`,
  )
  await db.pool.query(`select ledger.idempotency_forget(now() + interval '1 day')`)
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
    client.query('select ledger.bulk_upload_forget($1, $2)', [workspace, bulk])
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

  await expect(db.pool.query('select * from ledger.all_programs()')).rejects.toThrow(MAY_NOT)
  await expect(db.pool.query('select ledger.idempotency_forget(now())')).rejects.toThrow(MAY_NOT)
  await worker.query('select * from ledger.all_programs()')
  await worker.query('select * from ledger.redemptions_overdue(now(), 1)')
  await expect(db.pool.query('select ledger.bulk_uploads_forget_dead(1)')).rejects.toThrow(MAY_NOT)
  await worker.query(
    'select ledger.ledger_roll_up(), ledger.idempotency_forget(now()), ledger.bulk_uploads_forget_dead(1)',
  )
  await expect(worker.query('select ledger_private.ledger_recount()')).rejects.toThrow(MAY_NOT)
  await expect(worker.query('delete from ledger_total')).rejects.toThrow(/permission denied/)

  const application = await executable('engagement_app')
  expect(application.filter(({ may }) => may).map(({ name }) => name)).toEqual(OF_REQUESTS)
  const refused = (await executable('engagement_grants_worker')).filter(({ may }) => !may)
  expect(refused).toEqual([])
})

test('a worker of the application role goes on as before where no other is named', async () => {
  await migrate({ ownerUrl: db.ownerUrl, applicationUrl: db.url })
  await db.pool.query('select * from ledger.all_programs()')
})

test('a second installation on the server, of another owner, has a ledger role of its own', async () => {
  const { adminUrl } = inject('postgres')
  const name = `second_${process.pid}`
  const url = (user: string) =>
    Object.assign(new URL(adminUrl), { username: user, password: user, pathname: `/${name}` }).href
  const [ownerUrl, applicationUrl] = [url(`${name}_owner`), url(`${name}_app`)]
  await createOwner(adminUrl, ownerUrl)
  try {
    await migrate({ ownerUrl, applicationUrl })
    await migrate({ ownerUrl, applicationUrl }) // as often as one likes
    const { rows } = await db.owner.query<{ first: boolean; own: boolean }>(
      `select pg_has_role($1, 'vinr_ledger', 'member') as first,
         pg_has_role($1, 'vinr_ledger_' || $2, 'member') as own`,
      [`${name}_owner`, name],
    )
    expect(rows).toEqual([{ first: false, own: true }])
    const pool = createPool({ url: applicationUrl, max: 1 })
    expect((await pool.query(`select ledger.webhook_waiting('ws_1') as result`)).rowCount).toBe(1)
    await pool.end()
  } finally {
    const admin = new pg.Client({ connectionString: adminUrl })
    await admin.connect()
    await admin.query(`drop database ${name} with (force)`)
    for (const role of [`${name}_owner`, `${name}_app`, `vinr_ledger_${name}`]) {
      await admin.query(`drop role if exists ${role}`)
    }
    await admin.end()
  }
})
