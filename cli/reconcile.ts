import { readFile } from 'node:fs/promises'
import { commandDatabase } from '../db/command-database.ts'
import { withPool } from './database.ts'

const BOOKS = new URL('../db/reconcile.sql', import.meta.url)

/** `vinr reconcile`: proves the books and prints each line that does not hold. True where all do. */
export async function reconcileBooks(): Promise<boolean> {
  const { url } = commandDatabase('MIGRATION_DATABASE_URL')
  const sql = await readFile(BOOKS, 'utf8')
  return withPool('reconcile', url, async (pool) => {
    const { rows } = await pool.query<Record<string, string>>(sql)
    for (const { workspace, subject, rule, detail } of rows) {
      console.log(`${workspace}  ${subject}  ${rule}: ${detail}`)
    }
    console.log(rows.length === 0 ? 'The books hold.' : `${rows.length} lines do not hold.`)
    return rows.length === 0
  })
}
