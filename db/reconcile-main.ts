import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { commandDatabase } from './command-database.ts'

/**
 * `npm run reconcile`: proves the books (`reconcile.sql`) as the owner, MIGRATION_DATABASE_URL, or
 * those of the stack that runs on this folder.
 * Prints each line that does not hold; exit code 1 where there is one.
 */
async function main(): Promise<void> {
  const { url: connectionString } = commandDatabase('MIGRATION_DATABASE_URL')
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const sql = await readFile(new URL('./reconcile.sql', import.meta.url), 'utf8')
    const { rows } = await client.query<Record<string, string>>(sql)
    for (const { workspace, subject, rule, detail } of rows) {
      console.log(`${workspace}  ${subject}  ${rule}: ${detail}`)
    }
    console.log(rows.length === 0 ? 'The books hold.' : `${rows.length} lines do not hold.`)
    process.exitCode = rows.length === 0 ? 0 : 1
  } finally {
    await client.end()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
})
