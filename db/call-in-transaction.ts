import { sql } from 'drizzle-orm'
import type { Db } from './workspace-client.ts'

/** As `call`, inside a transaction that writes more than the function does. */
export async function callIn<T>(tx: Db, name: string, args: unknown[]): Promise<T> {
  const given = sql.join(
    args.map((arg) => sql`${sql.param(arg)}`),
    sql`, `,
  )
  const { rows } = await tx.execute<{ result: T }>(
    sql`select ledger.${sql.raw(name)}(${given}) as result`,
  )
  const row = rows[0]
  if (!row) throw new Error(`${name} returned no row`)
  return row.result
}
