import { and, eq, inArray, sql } from 'drizzle-orm'
import type { EventRow } from './events.ts'
import type { Pool } from './pool.ts'
import { redemption } from './schema/index.ts'
import type { Snapshot } from './snapshot.ts'
import { inWorkspace } from './workspace-client.ts'

/**
 * The same events with the names and addresses that `event_data` left in their redemptions; null where
 * they are there no more. Where no event refers to one nothing is asked.
 */
export async function withShipping(
  pool: Pool,
  workspace: string,
  rows: readonly EventRow[],
): Promise<EventRow[]> {
  const ids = rows.flatMap((row) => [referenceIn(row.data), referenceIn(row.previous)])
  const wanted = [...new Set(ids.filter((id) => id !== undefined))]
  if (wanted.length === 0) return [...rows]
  const kept = await inWorkspace(pool, workspace, (db) =>
    db
      .select({
        id: redemption.id,
        shipping: sql<unknown>`${redemption.fulfillment} -> 'shipping'`,
      })
      .from(redemption)
      .where(and(eq(redemption.workspace, workspace), inArray(redemption.id, wanted))),
  )
  const shipping = new Map(kept.map((one) => [one.id, one.shipping]))
  const filled = (data: Snapshot | null): Snapshot | null => {
    const id = referenceIn(data)
    const fulfillment = data?.fulfillment
    if (id === undefined || typeof fulfillment !== 'object') return data
    return { ...data, fulfillment: { ...fulfillment, shipping: shipping.get(id) ?? null } }
  }
  return rows.map((row) => ({ ...row, data: filled(row.data), previous: filled(row.previous) }))
}

function referenceIn(data: Snapshot | null): string | undefined {
  const shipping = member(member(data, 'fulfillment'), 'shipping')
  const id = member(shipping, 'redemption')
  return typeof id === 'string' ? id : undefined
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
