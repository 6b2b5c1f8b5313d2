import { sql } from 'drizzle-orm'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { command } from '../../db/border.ts'
import { pointsPost } from '../../db/ledger.gen.ts'
import { migrate } from '../../db/migrate.ts'
import type { Pool } from '../../db/pool.ts'
import { inWorkspace, transact } from '../../db/workspace-client.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

// What `migrate` does beside others: to requests under way, to an operator's own functions, and at the same
// time as the migration of another database of the server.

const workspace = newId('ws')
const ACCOUNT = 'loy_8sd2k1'
const ROLE = `made_at_once_${process.pid}`
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
afterAll(async () => {
  await db.drop()
  const admin = new pg.Client({ connectionString: inject('postgres').adminUrl })
  await admin.connect()
  await admin.query(`drop role ${ROLE}`)
  await admin.end()
})

const bringUpToDate = (applicationUrl = db.url) =>
  migrate({ ownerUrl: db.ownerUrl, applicationUrl })

const functionNamed = async (name: string) =>
  (await db.owner.query<{ text: string }>('select pg_get_functiondef($1::regproc) as text', [name]))
    .rows[0]?.text ?? ''

/** As if it had been a release ago: `caller` calls this helper, which has another name by now. */
async function renameHelper(caller: string, helper: string) {
  const earlier = `${helper}_of_before`
  const declared = await functionNamed(`ledger_private.${helper}`)
  const calling = await functionNamed(`ledger.${caller}`)
  await db.owner.query(declared.replaceAll(helper, earlier))
  await db.owner.query(
    `comment on function ledger_private.${earlier} is 'VINR ledger: made by migrate'`,
  )
  await db.owner.query(calling.replaceAll(`${helper}(`, `${earlier}(`))
  await db.owner.query(`delete from applied_function_file where file = 'points.sql'`)
}

const credit = (operation: string) => ({
  workspace,
  account: ACCOUNT,
  type: 'adjust' as const,
  amount: 100,
  reason: 'test',
  operation,
  fingerprint: 'f',
  at: new Date(),
  expiresAt: null,
  batch: null,
  source: null,
  metadata: {},
  allowNegative: false,
})

/** Runs `write` up to the account's lock, migrates there, and lets it go on. */
async function migratedAmid<T>(write: () => Promise<T>): Promise<T> {
  await renameHelper('points_post', 'points_earn')
  const holder = await db.owner.connect()
  try {
    await holder.query('begin')
    await holder.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      workspace + ACCOUNT,
    ])
    const written = write()
    await someWaitFor(db.pool, 'advisory')
    await bringUpToDate()
    await holder.query('commit')
    return await written
  } finally {
    holder.release(true) // with its lock, where it still has it
  }
}

/** A role sees what its own connections wait for. */
const someWaitFor = (pool: Pool, event: string) =>
  expect
    .poll(async () => {
      const { rowCount } = await pool.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and wait_event = $1
           and datname = current_database()`,
        [event],
      )
      return rowCount
    })
    .toBeGreaterThan(0)

const balance = () =>
  inWorkspace(db.pool, workspace, async (tx) => {
    const { rows } = await tx.execute<{ balance: number }>(
      sql`select balance from account where workspace = ${workspace} and id = ${ACCOUNT}`,
    )
    return Number(rows[0]?.balance)
  })

test('a command under way while migrate replaces what it calls is done, once', async () => {
  const before = await balance()
  const posted = await migratedAmid(() => pointsPost(db.pool, credit('amid')))
  expect(posted.outcome).toBe('posted')
  expect(await balance()).toBe(before + 100)
})

test('so is a transaction of several statements, all of it again', async () => {
  const before = await balance()
  await migratedAmid(() =>
    transact(db.pool, workspace, async (tx) => {
      await tx.execute(sql`insert into idempotency_key (workspace, route, key, fingerprint, resource, created_at)
        values (${workspace}, 'test', 'amid', 'f', 'r', now())`)
      await pointsPost(tx, credit('amid in a transaction'))
    }),
  )
  expect(await balance()).toBe(before + 100)
})

test('a function that is missing for good fails all the same', async () => {
  await expect(command('points_unheard_of', ['workspace'])(db.pool, { workspace })).rejects.toThrow(
    'function ledger.points_unheard_of',
  )
})

test('an operator’s own functions stay as they are, in the schemas of the ledger too', async () => {
  await db.owner.query(`
    create function ledger.of_operator() returns int language sql as 'select 1';
    create function ledger_private.of_operator() returns int language sql as 'select 2';
    create function public.of_operator() returns int language sql as 'select 3';
    create function ledger_private.vinr_id(p_prefix text, p_of_ours int) returns text language sql as 'select ''x''';
    comment on function ledger_private.vinr_id(text, int) is 'VINR ledger: made by migrate';
    delete from applied_function_file where file = 'reward.sql'`)
  await bringUpToDate()
  const { rows } = await db.owner.query(
    `select p.oid::regprocedure::text as name, prosecdef as definer, pg_get_userbyid(proowner) as owner
     from pg_proc p where proname in ('of_operator', 'vinr_id') order by 1`,
  )
  const own = { definer: false, owner: 'engagement_owner' }
  expect(rows).toEqual([
    { name: 'ledger.of_operator()', ...own },
    { name: 'ledger_private.of_operator()', ...own },
    { name: 'of_operator()', ...own },
    { name: 'vinr_id(text)', ...own },
  ])
})

test('a dump that lost the functions’ comments is brought up to date, what it has of before dropped', async () => {
  await db.owner.query(`
    create function ledger_private.of_before() returns int language sql as 'select 1';
    do $$ declare f text; begin
      for f in select p.oid::regprocedure from pg_proc p
        where p.pronamespace::regnamespace::text in ('public', 'ledger', 'ledger_private')
          and obj_description(p.oid, 'pg_proc') is not null and pg_has_role(p.proowner, 'usage')
      loop execute format('comment on function %s is null', f); end loop;
    end $$`)
  await bringUpToDate()
  const { rows } = await db.owner.query(
    `select count(*) filter (where proname = 'of_before')::int as of_before,
       count(*) filter (where obj_description(oid, 'pg_proc') = 'VINR ledger: made by migrate') > 300 as marked
     from pg_proc`,
  )
  expect(rows).toEqual([{ of_before: 0, marked: true }])
})

test('two databases of a server are migrated at once: who comes second takes the role that the first made', async () => {
  const url = new URL(db.url)
  ;[url.username, url.password] = [ROLE, ROLE]
  const other = await db.owner.connect()
  try {
    await other.query('begin')
    await other.query(`create role ${ROLE} login password '${ROLE}'`)
    const second = bringUpToDate(url.href)
    await someWaitFor(db.owner, 'transactionid')
    await other.query('commit')
    await second
    const { rows } = await db.owner.query(
      `select has_function_privilege($1, 'ledger.account_view(text, text)', 'execute') as may`,
      [ROLE],
    )
    expect(rows).toEqual([{ may: true }])
  } finally {
    other.release(true)
  }
})
