import type { Scale } from './account.ts'
import type { SealedGiftCard } from './gift-card.ts'
import { pointsOf } from './points.ts'

/**
 * pending -> applied | released | reversed; released -> applied (rehold only);
 * fulfillment_pending -> fulfilled | reversed; applied | fulfilled -> reversed.
 */
export const REDEMPTION_STATUSES = [
  'pending',
  'fulfillment_pending',
  'applied',
  'fulfilled',
  'released',
  'reversed',
] as const

export type RedemptionStatus = (typeof REDEMPTION_STATUSES)[number]

/** The commands of one redemption, each obeyed once by its operation. */
export const REDEMPTION_COMMANDS = ['cancel', 'confirm', 'extend', 'reverse', 'fulfill'] as const

/** What came of a payment that charged the discount of a redemption already released. */
export const LATE_OUTCOMES = ['flagged', 'reheld'] as const
export type LateOutcome = (typeof LATE_OUTCOMES)[number]

/** How far a fulfilment is, as it is shown. */
export const FULFILLMENT_STATUSES = [
  'pending',
  'partially_fulfilled',
  'fulfilled',
  'canceled',
  'returned',
] as const

type Fields = Readonly<Record<string, unknown>>

type RedemptionFacts = {
  readonly id: string
  readonly account: string
  readonly reward: string
  readonly status: RedemptionStatus
  readonly quantity: number
  readonly points: number
  readonly reversedPoints: number
  readonly reversedQuantity: number
  readonly discount:
    | { amount: number; currency: string }
    | { percent: number; maxAmount?: number; currency?: string }
    | null
  readonly code: string | null
  readonly fulfillment: StoredFulfillment | null
  readonly variant: string | null
  readonly credit: Fields | null
  readonly giftCards: readonly SealedGiftCard[] | null
  readonly payment: string | null
  readonly transaction: string | null
  readonly expiresAt: Date | null
  readonly appliedAt: Date | null
  readonly releasedAt: Date | null
  readonly fulfilledAt: Date | null
  readonly reversedAt: Date | null
  readonly reason: string | null
  readonly latePayment: { payment: string; outcome: LateOutcome; at: string } | null
  readonly paymentUnaffected: UnaffectedPayment | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/**
 * A redemption as the API and events show it, with whichever artifact its reward gave. Points come
 * in the smallest unit. A gift card's code is shown where `openCode` is given, which events have not.
 */
export function redemptionObject(
  row: RedemptionFacts,
  { decimals, livemode }: Scale,
  openCode?: (sealed: string) => string | undefined,
) {
  return {
    id: row.id,
    object: 'redemption' as const,
    account: row.account,
    reward: row.reward,
    ...(row.variant !== null && { variant: row.variant }),
    status: row.status,
    quantity: row.quantity,
    points: pointsOf(row.points, decimals),
    reversed_points: pointsOf(row.reversedPoints, decimals),
    reversed_quantity: row.reversedQuantity ?? 0, // events from before it have none
    ...(row.discount !== null && { discount: { ...row.discount, code: row.code ?? '' } }),
    ...(row.fulfillment !== null && { fulfillment: fulfillmentOf(row.fulfillment, row.status) }),
    ...(row.credit !== null && { credit: creditOf(row.credit, row.id) }),
    ...(row.giftCards !== null && {
      gift_cards: giftCardsOf(row.giftCards, cardsKept(row), openCode),
    }),
    payment: row.payment,
    transaction: row.transaction,
    expires_at: row.expiresAt?.toISOString() ?? null,
    applied_at: row.appliedAt?.toISOString() ?? null,
    released_at: row.releasedAt?.toISOString() ?? null,
    fulfilled_at: row.fulfilledAt?.toISOString() ?? null,
    reversed_at: row.reversedAt?.toISOString() ?? null,
    reason: row.reason,
    ...(row.latePayment !== null && {
      late_payment: { ...row.latePayment, at: iso(row.latePayment.at) },
    }),
    ...(row.paymentUnaffected !== null && {
      payment_unaffected: unaffectedOf(row.paymentUnaffected),
    }),
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

function fulfillmentOf(stored: StoredFulfillment, status: RedemptionStatus) {
  const { on_overdue: onOverdue = 'notify', shipped = 0, canceled = 0, ...what } = stored
  return {
    status: progressOf(status, shipped),
    ...what,
    shipped,
    canceled,
    tracking: stored.tracking ?? null,
    carrier: stored.carrier ?? null,
    shipments: (stored.shipments ?? []).map((parcel) => ({ ...parcel, at: iso(parcel.at) })),
    deadline: stored.deadline ? iso(stored.deadline) : null,
    onOverdue,
    overdue_notices: stored.overdue_notices ?? 0,
  }
}

function progressOf(
  status: RedemptionStatus,
  shipped: number,
): (typeof FULFILLMENT_STATUSES)[number] {
  if (status === 'fulfilled') return 'fulfilled'
  if (status === 'fulfillment_pending') {
    return shipped > 0 ? 'partially_fulfilled' : 'pending'
  }
  return shipped > 0 ? 'returned' : 'canceled'
}

/** As Postgres writes a time into JSON, as the API shows it. */
const iso = (at: string) => new Date(at).toISOString()

type UnaffectedPayment = {
  payment: string
  currency: string
  discounted: number
  refundable: number
  refunds: string[]
}

function unaffectedOf({ payment, currency, discounted, refundable, refunds }: UnaffectedPayment) {
  const refund_offer = refundable > 0 ? { payment, amount: refundable } : null
  return { payment, currency, discounted, refund_offer, refunds }
}

/** Store credit carries the redemption's own number: one redemption grants one credit. */
function creditOf(credit: Fields, redemption: string) {
  const stored = credit as { amount: number; currency: string; expires_at?: string } // the row's own artifact
  const { amount, currency, expires_at: expiresAt } = stored
  return {
    id: redemption.replace(/^rdm_/, 'crd_'),
    amount,
    currency,
    ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
  }
}

/** How many of a redemption's gift cards still stand: a reversal voids the last ones first. */
const cardsKept = ({ status, quantity, reversedQuantity }: RedemptionFacts) =>
  status === 'reversed' ? 0 : quantity - (reversedQuantity ?? 0)

/** Codes of what was reversed are void: only their last characters remain, to tell the issuer. */
function giftCardsOf(
  cards: readonly SealedGiftCard[],
  kept: number,
  openCode: ((sealed: string) => string | undefined) | undefined,
) {
  return cards.map(({ id, sealed, last4, amount, currency }, index) => {
    const isVoid = index >= kept
    const code = isVoid ? undefined : openCode?.(sealed)
    return {
      id,
      ...(code !== undefined && { code }),
      last4,
      amount,
      currency,
      status: isVoid ? ('void' as const) : ('given' as const),
    }
  })
}

/** What the deadline of a fulfilment does. */
export const OVERDUE_POLICIES = ['notify', 'refund'] as const
type OverduePolicy = (typeof OVERDUE_POLICIES)[number]

/** A parcel on its way, with some of the items. */
type Shipment = {
  quantity: number
  tracking: string | null
  carrier: string | null
  /** ISO 8601 */
  at: string
}

type Shipping = {
  name: string
  line1: string
  line2?: string
  city: string
  state?: string
  postalCode: string
  country: string
  phone?: string
}

/** What somebody has to hand over, as `redemption_artifact` writes it and shipments change it. */
export type StoredFulfillment = {
  /** Items in all; of them, shipped, and no longer to be shipped. */
  quantity: number
  shipped?: number
  canceled?: number
  product?: string
  partner?: string
  sku?: string
  amount?: number
  currency?: string
  shipping: Shipping | null
  shipments?: Shipment[]
  /** Of the latest shipment. */
  tracking?: string | null
  carrier?: string | null
  /** ISO 8601; fixed when redeemed, as the policy is. */
  deadline?: string | null
  on_overdue?: OverduePolicy
  overdue_notices?: number
}
