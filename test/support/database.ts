import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { inject } from 'vitest'
import { createPool, type Pool } from '../../db/pool.ts'

export type TestDatabase = {
  /** As the application sees it. */
  pool: Pool
  /** The same for reads, as the API has them. */
  reads: Pool
  /** As the owner sees it: past row security. */
  owner: Pool
  url: string
  ownerUrl: string
  /** The lines of the books that do not hold. */
  reconcile(): Promise<unknown[]>
  drop(): Promise<void>
}

let made = 0

/** A database of its own for one suite, with every migration applied. */
export async function testDatabase(): Promise<TestDatabase> {
  const { adminUrl, template } = inject('postgres')
  const name = `test_${process.pid}_${Date.now().toString(36)}_${++made}`
  await asAdmin(adminUrl, `create database ${name} template ${template} owner engagement_owner`)
  const { host } = new URL(adminUrl)
  const on = (user: string) => `postgres://${user}:${user}@${host}/${name}`
  const pool = createPool({ url: on('engagement_app'), applicationName: name })
  const reads = createPool({ url: on('engagement_app'), max: 8, applicationName: name })
  const owner = createPool({ url: on('engagement_owner'), max: 4, applicationName: name })
  const reconcileSql = await readFile(new URL('../../db/reconcile.sql', import.meta.url), 'utf8')
  return {
    pool,
    reads,
    owner,
    url: on('engagement_app'),
    ownerUrl: on('engagement_owner'),
    reconcile: async () => (await owner.query(reconcileSql)).rows,
    drop: async () => {
      await Promise.all([pool.end(), reads.end(), owner.end()])
      await asAdmin(adminUrl, `drop database ${name} with (force)`)
    },
  }
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(1)') // a template is copied by one at a time
    await client.query(statement)
  } finally {
    await client.end()
  }
}
