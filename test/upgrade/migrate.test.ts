import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { migrate } from '../../db/migrate.ts'
import { restore } from './dump.ts'
import { readDump } from './restored.ts'

// The database that the release before left, with its functions and rows, is brought up to date in place.

const NAME = `upgraded_${process.pid}`
const lines: string[] = []

const on = (user: string) => {
  const url = new URL(inject('servers').adminUrl)
  ;[url.username, url.password, url.pathname] = [user, user, NAME]
  return url.href
}

async function asAdmin(statement: string) {
  const client = new pg.Client({ connectionString: inject('servers').adminUrl })
  await client.connect()
  await client.query(statement)
  await client.end()
}

beforeAll(async () => {
  await asAdmin(`create database ${NAME} owner engagement_owner`)
  const admin = new URL(inject('servers').adminUrl)
  admin.pathname = NAME
  await restore(await readDump(), { ownerUrl: on('engagement_owner'), adminUrl: admin.href })
})
afterAll(() => asAdmin(`drop database ${NAME} with (force)`))

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
