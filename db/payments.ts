import { and, eq } from 'drizzle-orm'
import { call } from './call.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { payment } from './schema/index.ts'
import type { Snapshot } from './snapshot.ts'
import { refusalRaised, type SqlRefusal } from './sql-refusal.ts'
import { inWorkspace } from './workspace-client.ts'

export type PaymentRow = typeof payment.$inferSelect
export type PaymentStatus = PaymentRow['status']

/** A redemption attached to a payment, with what its run is started with. */
export type AttachedRedemption = { id: string; account: string; reward: string; status: string; expires_at: string }

export type PaymentResult = {
  outcome: string
  payment?: Snapshot & { id: string; status: PaymentStatus; expires_at: string | null }
  redemptions?: AttachedRedemption[]
  /** An event of it is still unprocessed. */
  waiting?: boolean
  refusal?: SqlRefusal
}

export type RedemptionRef = { redemption: string } | { code: string }

export type NewPayment = {
  workspace: string
  payment: string
  /** Where the request carried an Idempotency-Key: what it is scoped to. */
  route: string
  key: string | null
  fingerprint: string
  amount: number
  /** lower-case ISO */
  currency: string
  customer: string | null
  metadata: Record<string, string>
  redemptions: RedemptionRef[]
  /** How far its card takes it at once. */
  status: PaymentStatus
  awaitsConfirmation: boolean
  event: string
  at: string
  expiresAt: string
}

export async function insertPayment(pool: Pool, p: NewPayment): Promise<PaymentResult> {
  try {
    return await call<PaymentResult>(pool, 'payment_create', [
      p.workspace, p.payment, p.route, p.key, p.fingerprint, p.amount, p.currency, p.customer, p.metadata,
      JSON.stringify(p.redemptions), p.status, p.awaitsConfirmation, p.event, p.at, p.expiresAt,
    ])
  } catch (error) {
    return { outcome: 'refused', refusal: refusalRaised(error) }
  }
}

export type MovePayment = {
  workspace: string
  payment: string
  status: 'completed' | 'failed' | 'canceled' | 'expired'
  event: string
  at: string
}

export const movePayment = (pool: Pool, m: MovePayment) =>
  call<PaymentResult>(pool, 'payment_move', [m.workspace, m.payment, m.status, m.event, m.at])

/** A provider's payment in our own form. */
export type ReportedPayment = {
  id: string
  amount: number
  amount_charged?: number
  currency: string
  customer?: string | null
  metadata?: Record<string, string>
  refs: RedemptionRef[]
}

export type ReceivedEvent = {
  workspace: string
  provider: string
  event: string
  type: string
  payload: Record<string, unknown>
  payment: ReportedPayment | null
  /** What the event's type says of the payment; null where it says nothing. */
  status: PaymentStatus | null
  at: string
}

export const receivePaymentEvent = (pool: Pool, e: ReceivedEvent) =>
  call<PaymentResult>(pool, 'payment_receive', [
    e.workspace, e.provider, e.event, e.type, e.payload, e.payment, e.status, e.at,
  ])

export const findPayment = (pool: Pool, workspace: string, id: string): Promise<PaymentRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db.select().from(payment).where(and(eq(payment.workspace, workspace), eq(payment.id, id)))
    return rows[0]
  })

export type PaymentFilter = { customer?: string; status?: PaymentStatus }

export const listPayments = (
  pool: Pool, workspace: string, filter: PaymentFilter, page: PageRequest,
): Promise<Page<PaymentRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, payment, page, [
      eq(payment.workspace, workspace),
      filter.customer && eq(payment.customer, filter.customer),
      filter.status && eq(payment.status, filter.status),
    ]),
  )
