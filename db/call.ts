import type { ClientBase, Pool } from 'pg'

/**
 * Calls a ledger function as a named prepared statement and returns its jsonb.
 * One round trip, one transaction; the function sets the row-security variable itself.
 */
export async function call<T>(db: Pool | ClientBase, name: string, args: unknown[]): Promise<T> {
  const placeholders = args.map((_, index) => `$${index + 1}`).join(', ')
  const { rows } = await db.query<{ result: T }>({
    name,
    text: `select ${name}(${placeholders}) as result`,
    values: args,
  })
  const row = rows[0]
  if (!row) throw new Error(`${name} returned no row`)
  return row.result
}
