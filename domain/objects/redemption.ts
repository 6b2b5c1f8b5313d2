import { pointsOf } from '../points.ts'
import type { RedemptionStatus } from '../redemption-status.ts'
import type { Scale } from './account.ts'

type Fields = Readonly<Record<string, unknown>>

export type RedemptionFacts = {
  readonly id: string
  readonly account: string
  readonly reward: string
  readonly status: RedemptionStatus
  readonly quantity: number
  readonly points: number
  readonly reversedPoints: number
  readonly discount:
    | { amount: number; currency: string }
    | { percent: number; maxAmount?: number; currency?: string }
    | null
  readonly code: string | null
  readonly fulfillment: Fields | null
  readonly credit: Fields | null
  readonly payment: string | null
  readonly transaction: string
  readonly expiresAt: Date | null
  readonly appliedAt: Date | null
  readonly releasedAt: Date | null
  readonly fulfilledAt: Date | null
  readonly reversedAt: Date | null
  readonly reason: string | null
  readonly latePayment: { payment: string; outcome: 'flagged' | 'reheld'; at: string } | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** A redemption as the API and events show it, with whichever artifact its reward gave. Points come in the smallest unit. */
export function redemptionObject(row: RedemptionFacts, { decimals, livemode }: Scale) {
  return {
    id: row.id,
    object: 'redemption' as const,
    account: row.account,
    reward: row.reward,
    status: row.status,
    quantity: row.quantity,
    points: pointsOf(row.points, decimals),
    reversed_points: pointsOf(row.reversedPoints, decimals),
    ...(row.discount !== null && { discount: { ...row.discount, code: row.code ?? '' } }),
    ...(row.fulfillment !== null && { fulfillment: fulfillmentOf(row.fulfillment, row.status) }),
    ...(row.credit !== null && { credit: creditOf(row.credit, row.id) }),
    payment: row.payment,
    transaction: row.transaction,
    expires_at: row.expiresAt?.toISOString() ?? null,
    applied_at: row.appliedAt?.toISOString() ?? null,
    released_at: row.releasedAt?.toISOString() ?? null,
    fulfilled_at: row.fulfilledAt?.toISOString() ?? null,
    reversed_at: row.reversedAt?.toISOString() ?? null,
    reason: row.reason,
    ...(row.latePayment !== null && {
      late_payment: { ...row.latePayment, at: new Date(row.latePayment.at).toISOString() },
    }),
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

/** What `redemption_artifact` writes for a reward that somebody has to hand over. */
type StoredFulfillment = {
  quantity: number
  product?: string
  partner?: string
  sku?: string
  amount?: number
  currency?: string
  shipping: Shipping | null
  tracking?: string | null
  carrier?: string | null
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

function fulfillmentOf(fulfillment: Fields, status: RedemptionStatus) {
  const stored = fulfillment as StoredFulfillment // the row's own artifact
  return { tracking: null, carrier: null, ...stored, status: progressOf(status) }
}

function progressOf(status: RedemptionStatus) {
  if (status === 'fulfillment_pending') return 'pending' as const
  return status === 'fulfilled' ? ('fulfilled' as const) : ('canceled' as const)
}

/** Store credit carries the redemption's own number: one redemption grants one credit. */
function creditOf(credit: Fields, redemption: string) {
  const stored = credit as { amount: number; currency: string } // the row's own artifact
  return { ...stored, id: redemption.replace(/^rdm_/, 'crd_') }
}
