import { and, eq, type SQL, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type { PaymentStatus } from './results/payment.ts'
import { payment } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

export type PaymentRow = typeof payment.$inferSelect

export const findPayment = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<PaymentRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(payment)
      .where(and(eq(payment.workspace, workspace), eq(payment.id, id)))
    return rows[0]
  })

type PaymentFilter = {
  customer?: string
  orderNumber?: string
  status?: PaymentStatus | 'refunded' | 'partially_refunded'
}

/** Refund states are read from the amounts; the status of a refunded payment stays completed. */
function shownAs(status: NonNullable<PaymentFilter['status']>): SQL | undefined {
  if (!['completed', 'refunded', 'partially_refunded'].includes(status))
    return sql`${payment.status} = ${status}`
  const isRefunded = sql`(${payment.amountRefunded} > 0 or (${payment.amountCharged} = 0 and ${payment.storeCredit} = 0 and jsonb_path_exists(${payment.refunds}, '$[*] ? (@.status != "failed")')))`
  const completed = eq(payment.status, 'completed')
  if (status === 'completed') return and(completed, sql`not (${isRefunded})`)
  const all = sql`${payment.amountRefunded} >= ${payment.amountCharged}`
  return and(completed, isRefunded, status === 'refunded' ? all : sql`not (${all})`)
}

export const listPayments = (
  pool: Pool,
  workspace: string,
  filter: PaymentFilter,
  page: PageRequest,
): Promise<Page<PaymentRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, payment, page, [
      eq(payment.workspace, workspace),
      filter.customer && eq(payment.customer, filter.customer),
      filter.orderNumber && eq(payment.orderNumber, filter.orderNumber),
      filter.status && shownAs(filter.status),
    ]),
  )
