import { getTableColumns, type InferSelectModel } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { codeBatch, payment, ptx, redemption, refund } from './schema/index.ts'

/** A row as the ledger functions and events carry it: to_jsonb of the row. */
export type Snapshot = Readonly<Record<string, unknown>>

/** The typed row behind a snapshot, with the schema's names and dates. */
export function fromSnapshot<T extends PgTable>(table: T, snapshot: Snapshot): InferSelectModel<T> {
  const row: Record<string, unknown> = {}
  for (const [key, column] of Object.entries(getTableColumns(table))) {
    const value = snapshot[column.name]
    row[key] =
      column.dataType === 'date' && typeof value === 'string' ? new Date(value) : (value ?? null)
  }
  return row as InferSelectModel<T> // the snapshot is to_jsonb of this very table
}

/** The rows behind what the ledger functions answer. */
export const readRedemption = (snapshot: Snapshot) => fromSnapshot(redemption, snapshot)
export const readPayment = (snapshot: Snapshot) => fromSnapshot(payment, snapshot)
export const readTransaction = (snapshot: Snapshot) => fromSnapshot(ptx, snapshot)
export const readRefund = (snapshot: Snapshot) => fromSnapshot(refund, snapshot)
export const readCodeBatch = (snapshot: Snapshot) => fromSnapshot(codeBatch, snapshot)
