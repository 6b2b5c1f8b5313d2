import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import type { TestDatabase } from './database.ts'

const MIGRATIONS = new URL('../../db/migrations/', import.meta.url).pathname

/** Empties the database and makes its tables as they were once this migration had been the last. */
export async function asBefore({ owner }: TestDatabase, lastMigration: string): Promise<void> {
  await owner.query(`drop schema public cascade; drop schema drizzle cascade;
    drop schema request_partition cascade; create schema public`)
  const folder = await mkdtemp(join(tmpdir(), 'vinr-migrations-'))
  try {
    await cp(MIGRATIONS, folder, { recursive: true })
    const file = join(folder, 'meta/_journal.json')
    const journal = JSON.parse(await readFile(file, 'utf8'))
    const last = journal.entries.findIndex(({ tag }: { tag: string }) => tag === lastMigration)
    const entries = journal.entries.slice(0, last + 1)
    await writeFile(file, JSON.stringify({ ...journal, entries }))
    await migrate(drizzle({ client: owner }), { migrationsFolder: folder })
  } finally {
    await rm(folder, { recursive: true })
  }
}
