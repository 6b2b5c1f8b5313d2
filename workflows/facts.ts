/** What the runs need to know of their rows. Of a redemption: `domain/redemption-summary.ts`. ISO 8601 throughout. */

export type PaymentFacts = {
  /** Null where it is none: an invoice, the welcome of an account. */
  status: string | null
  /** When an open sandbox payment expires, null where its provider decides. */
  expiresAt: string | null
  /** When its next pending earning becomes spendable. */
  maturesAt: string | null
  /** Something that follows from its events is not done. */
  unfinished: boolean
}

export type AccountExpiryFacts = {
  /** The next warning or expiry; null: nothing expires any more. */
  wakesAt: string | null
  /** Many accounts may have this date: their runs check spread over the hours after it. */
  shared: boolean
}

export type TierReviewFacts = {
  /** The next date at which the tier could fall; null: never by itself. */
  reviewsAt: string | null
}

export type BulkFacts = { status: string }
