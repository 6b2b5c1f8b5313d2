/** What a provider may report; it only advances. */
export const PAYMENT_STATUSES = [
  'requires_payment',
  'processing',
  'failed',
  'canceled',
  'expired',
  'completed',
] as const
type PaymentStatus = (typeof PAYMENT_STATUSES)[number]

/** What its completion earned. `unnamed`: it names no member; `no_member`: none at its completion; `no_rule`: no rule matched. */
export const PAYMENT_AWARDS = [
  'awarded',
  'unnamed',
  'no_member',
  'no_rule',
  'account_closed',
] as const
export type PaymentAward = (typeof PAYMENT_AWARDS)[number]

/** What the API shows: refund states are computed from the refunds that stand. */
export const SHOWN_PAYMENT_STATUSES = [
  ...PAYMENT_STATUSES,
  'refunded',
  'partially_refunded',
] as const

export const REFUND_STATUSES = ['succeeded', 'failed', 'pending'] as const
export type RefundStatus = (typeof REFUND_STATUSES)[number]

export const REFUND_KINDS = ['refund', 'dispute'] as const
export type RefundKind = (typeof REFUND_KINDS)[number]

type RefundOfPayment = {
  readonly id: string
  readonly amount: number
  readonly status: RefundStatus
}

type PaymentFacts = {
  readonly id: string
  readonly provider: string
  readonly status: PaymentStatus
  readonly amount: number
  readonly amountCharged: number
  readonly amountRefunded: number
  readonly currency: string
  readonly customer: string | null
  readonly storeCredit: number | null
  readonly storeCreditAccount: string | null
  readonly discounts: readonly {
    readonly redemption: string
    readonly code: string | null
    readonly amount?: number
    readonly percent?: number
    readonly maxAmount?: number
    readonly removed_at?: string
  }[]
  readonly refunds: readonly RefundOfPayment[]
  readonly disputes: readonly RefundOfPayment[]
  readonly refusedDiscounts: readonly {
    readonly redemption: string
    readonly code: string
    readonly at: string
  }[]
  readonly metadata: Record<string, string>
  readonly createdAt: Date
  readonly completedAt: Date | null
  readonly expiresAt: Date | null
}

/** A payment as the API and events show it. Money in minor units, the currency in lower case. */
export function paymentObject(row: PaymentFacts, livemode: boolean) {
  return {
    id: row.id,
    object: 'payment' as const,
    provider: row.provider,
    status: shownStatus(row),
    amount: row.amount,
    amount_charged: row.amountCharged,
    amount_refunded: Math.min(row.amountRefunded, row.amountCharged), // `refunds` say it where they are more
    currency: row.currency,
    customer: row.customer,
    store_credit: row.storeCredit ?? 0, // events older than store credit have none
    store_credit_account: row.storeCreditAccount,
    discounts: row.discounts.map((discount) => ({
      ...discount,
      ...(discount.removed_at !== undefined && {
        removed_at: new Date(discount.removed_at).toISOString(),
      }),
    })),
    redemptions: row.discounts
      .filter(({ removed_at }) => removed_at === undefined)
      .map(({ redemption }) => redemption),
    ...(row.refusedDiscounts.length > 0 && {
      refused_discounts: row.refusedDiscounts.map(({ redemption, code, at }) => ({
        redemption,
        code,
        at: new Date(at).toISOString(),
      })),
    }),
    refunds: row.refunds.map((refund) => ({ ...refund, payment: row.id })),
    ...(row.disputes.length > 0 && {
      disputes: row.disputes.map((dispute) => ({ ...dispute, payment: row.id })),
    }),
    completed_at: row.completedAt?.toISOString() ?? null,
    expires_at: row.expiresAt?.toISOString() ?? null,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

/** What the refunds that stand make of a completed payment; the stored status is the provider's. */
function shownStatus(row: PaymentFacts) {
  const { status, amountCharged, amountRefunded, storeCredit } = row
  if (status !== 'completed') return status
  const free = amountCharged === 0 && (storeCredit ?? 0) === 0 // refunded by 0
  if (free && row.refunds.some((refund) => refund.status !== 'failed')) return 'refunded' as const
  if (amountRefunded === 0) return status
  return amountRefunded >= amountCharged ? ('refunded' as const) : ('partially_refunded' as const)
}
