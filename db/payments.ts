import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { ClientBase } from 'pg'
import { call } from './call.ts'
import type { RequestIdentity } from './idempotency.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import type {
  PaymentResult,
  PaymentStatus,
  RedemptionRef,
  ReportedMore,
  ReportedPayment,
  StoreCreditRequest,
} from './results/payment.ts'
import { payment } from './schema/index.ts'
import { refusalRaised } from './sql-refusal.ts'
import { inWorkspace } from './workspace-client.ts'

export type {
  PaymentResult,
  PaymentStatus,
  RedemptionRef,
  ReportedMore,
  ReportedPayment,
  ReportedRefund,
} from './results/payment.ts'

export type PaymentRow = typeof payment.$inferSelect
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
  /** Taken from a member's wallet after the discounts; without an amount, all it has. */
  storeCredit?: StoreCreditRequest | null
  /** How far its card takes it at once. */
  status: PaymentStatus
  awaitsConfirmation: boolean
  event: string
  /** ISO 8601; the database's own time without it. */
  at?: string
  /** ISO 8601; a day later without it. */
  expiresAt?: string
}

const created = (p: NewPayment) => [
  p.workspace,
  p.payment,
  p.route,
  p.key,
  p.fingerprint,
  p.amount,
  p.currency,
  p.customer,
  p.metadata,
  JSON.stringify(p.redemptions),
  p.status,
  p.awaitsConfirmation,
  p.event,
  p.at ?? null,
  p.expiresAt ?? null,
  p.storeCredit ?? null,
]

export const insertPayment = (pool: Pool, payment: NewPayment): Promise<PaymentResult> =>
  call<PaymentResult>(pool, 'payment_create', created(payment)).catch(refused)

const refused = (error: unknown) => ({ outcome: 'refused', refusal: refusalRaised(error) })

export type MovePayment = {
  workspace: string
  payment: string
  status: 'completed' | 'failed' | 'canceled' | 'expired'
  event: string
  /** ISO 8601; the database's own time without it. */
  at?: string
}

export const movePayment = (pool: Pool, m: MovePayment) =>
  call<PaymentResult>(pool, 'payment_move', [
    m.workspace,
    m.payment,
    m.status,
    m.event,
    m.at ?? null,
  ])

/** The same, asked for by a request: a repeat of its key changes nothing. */
export function movePaymentAsked(
  pool: Pool,
  m: MovePayment,
  { route, key, fingerprint }: RequestIdentity,
): Promise<PaymentResult> {
  const asked = [m.workspace, m.payment, m.status, m.event, m.at ?? null, route, key, fingerprint]
  return call<PaymentResult>(pool, 'payment_move_request', asked).catch(refused)
}

export type ReceivedEvent = {
  workspace: string
  provider: string
  /** Whose secret signed it: its ids are known by it, and it moves nobody else's payments. */
  endpoint: string
  event: string
  type: string
  payload: Record<string, unknown>
  /** Where the payload says what happened, as against how it was delivered: a repeat that differs there is a conflict. */
  content: readonly (readonly string[])[]
  payment: ReportedPayment | null
  /** What the event's type says of the payment; null where it says nothing. */
  status: PaymentStatus | null
  /** ISO 8601; the database's own time where it says none. */
  at?: string
  more?: ReportedMore
}

const received = (e: ReceivedEvent) => [
  e.workspace,
  e.provider,
  e.endpoint,
  e.event,
  e.type,
  e.payload,
  e.payment,
  e.status,
  e.at ?? null,
  e.more ?? {},
  JSON.stringify(e.content),
]

/** Takes a provider's event in and does what follows from it, in one transaction; see `payment_take_in`. */
export const takeInPaymentEvent = (db: Pool | ClientBase, event: ReceivedEvent) =>
  call<PaymentResult>(db, 'payment_take_in', received(event))

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
      filter.status && shownAs(filter.status),
    ]),
  )
