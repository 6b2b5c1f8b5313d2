import type { SqlRefusal } from '../../domain/ledger-refusal.ts'
import type { payment } from '../schema/index.ts'
import type { Snapshot } from '../snapshot.ts'

export type PaymentStatus = (typeof payment.$inferSelect)['status']

export type PaymentResult = {
  outcome: string
  payment?: Snapshot & { id: string; status: PaymentStatus; expires_at: string | null }
  /** Whose workflow it is where there is no whole payment: one not known yet, an invoice, a referral. */
  subject?: string
  /** ISO 8601; when the next pending earning is credited. */
  matures_at?: string | null
  /** The event's id is known, with other content; see `payment_received_before`. */
  conflict?: true
  /** Why what follows could not be done, and is left to the payment's workflow: the database's message, SQLSTATE and where. */
  failure?: { message: string; code: string; context: string }
  refusal?: SqlRefusal
}

export type RedemptionRef = { redemption: string } | { code: string }

export type StoreCreditRequest = { account?: string; amount?: number }

/** A provider's payment in our own form. */
export type ReportedPayment = {
  id: string
  amount: number
  amount_charged?: number
  currency: string
  customer?: string | null
  metadata?: Record<string, string>
  invoice?: string | null
  refs: RedemptionRef[]
}

/** A refund or dispute as its provider reports it. */
export type ReportedRefund = {
  id: string
  amount: number
  status?: 'succeeded' | 'failed' | 'pending'
  kind?: 'refund' | 'dispute'
  reason?: string
  return_redemption?: true
  /** Only a step of a running total (failed: it fell), without the refund's own id: by which event it is known. */
  step?: string
  /** A failure of what may be known only as such a step. */
  unlisted?: true
  /** Moves a refund that is known by its id, and makes none. */
  update?: true
  /** What was authorised, in minor units: the amount of it that was not captured may be released as a refund. */
  authorised?: number
}

/** What earns by itself: an invoice, a subscription, a referral. */
export type TriggerFacts = {
  trigger: 'subscription.created' | 'invoice.paid' | 'referral.converted'
  noun: string
  customer: string | null
  metadata: Record<string, string>
  amount: number | null
  currency: string | null
  /** The payment whose refunds take the award back. */
  payment: string | null
  /** ISO 8601, the provider's time. */
  at?: string
}

/** What an event says beside, or instead of, a whole payment. */
export type ReportedMore = {
  subject?: string
  /** ISO 8601, the provider's time of completion. */
  completed_at?: string
  refunds?: ReportedRefund[]
  facts?: TriggerFacts
}

/** Where the generic provider finds what in its body. */
export type PaymentMapping = Record<string, unknown>

/** Where a payload says what happened, as against how it was delivered. */
export type ContentPath = readonly string[]
