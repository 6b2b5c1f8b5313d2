import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { migrate } from '../../db/migrate.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { restore } from './dump.ts'
import { checkOut, PREVIOUS_RELEASE } from './release.ts'
import { readDump } from './restored.ts'

// The database that the release before left, with its functions and rows, is brought up to date in place.

const BOOKS = new URL('../../db/reconcile.sql', import.meta.url)
const NAME = `upgraded_${process.pid}`
const lines: string[] = []
let fresh: TestDatabase

const on = (user: string) => {
  const url = new URL(inject('postgres').adminUrl)
  ;[url.username, url.password, url.pathname] = [user, user, NAME]
  return url.href
}

async function asAdmin(statement: string) {
  const client = new pg.Client({ connectionString: inject('postgres').adminUrl })
  await client.connect()
  await client.query(statement)
  await client.end()
}

beforeAll(async () => {
  await asAdmin(`create database ${NAME} owner engagement_owner`)
  const admin = new URL(inject('postgres').adminUrl)
  admin.pathname = NAME
  await restore(await readDump(), { ownerUrl: on('engagement_owner'), adminUrl: admin.href })
})
afterAll(async () => {
  await fresh?.drop()
  await asAdmin(`drop database ${NAME} with (force)`)
})

/** What this statement gives in the database brought up to date. */
async function queried(statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: on('engagement_owner') })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

const bringUpToDate = () =>
  migrate({
    ownerUrl: on('engagement_owner'),
    applicationUrl: on('engagement_app'),
    onProgress: (line) => lines.push(line),
  })

test('the schema of the release before is brought up to date, and a second time changes nothing', async () => {
  await bringUpToDate()
  await bringUpToDate()
  expect(lines.at(-1)).toBe('database up to date (0 function files changed)')
})

test('then what the release before proves the books with still runs', async () => {
  const before = await checkOut(PREVIOUS_RELEASE)
  try {
    const books = await readFile(join(before.folder, 'db', 'reconcile.sql'), 'utf8')
    expect(await queried(books)).toEqual(await queried(await readFile(BOOKS, 'utf8')))
  } finally {
    await before.remove()
  }
})

test('then its functions are those of a new database, and what an operator has in a schema of their own stays', async () => {
  await queried(`create schema reports`)
  await queried(`create function reports.two() returns int language sql return 2`)
  await queried(
    `create or replace function vinr_id(p_prefix text, p_more int) returns text language sql return 'x'`,
  )
  await queried(`comment on function vinr_id(text, int) is 'VINR ledger: made by migrate'`)
  await queried(`delete from applied_function_file where file = 'reward.sql'`)
  await bringUpToDate()
  fresh = await testDatabase()
  const functions = `select p.oid::regprocedure::text as signature, pg_get_userbyid(p.proowner) as owner,
      pg_get_functiondef(p.oid) as text, array(select x::text from unnest(p.proacl) x order by 1) as may
    from pg_proc p
    where p.pronamespace::regnamespace::text in ('public', 'ledger', 'ledger_private') order by 1`
  expect(await queried(functions)).toEqual((await fresh.owner.query(functions)).rows)
  expect(await queried('select reports.two()')).toEqual([{ two: 2 }])
})
