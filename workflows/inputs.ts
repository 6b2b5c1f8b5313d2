import type { ApprovalEffect, ApprovalKind, ApprovalStatus } from '../domain/approval.ts'
import type { RedemptionStatus } from '../domain/redemption.ts'
import type { RedemptionFacts } from '../domain/redemption-summary.ts'
import type { AcceptedEvent } from '../domain/reported-event.ts'

/** What each workflow is started with, and what it ends with. */

/**
 * What a run is started with beside its input: what its row says. An API of the release before sends
 * none of it, and the run checks the row first.
 */
type RowOf<Facts> = { readonly facts?: Facts | null; readonly revision?: number | null }

export type RedemptionInput = RowOf<RedemptionFacts> & {
  readonly workspace: string
  readonly redemption: string
  readonly account: string
  readonly reward: string
  /** ISO 8601; the moment the points return by themselves. */
  readonly releasesAt: string
  /** Milliseconds a create may still write the row after the run is started; the usual window where none was. */
  readonly creationWindowMs?: number
}

export type FulfillmentInput = RowOf<RedemptionFacts> & {
  readonly workspace: string
  readonly redemption: string
  readonly account: string
  readonly reward: string
  /** ISO 8601; when it is overdue. */
  readonly deadline: string
  /** As for a redemption. */
  readonly creationWindowMs?: number
}

/** What runs under a redemption's id: a discount waits for its payment, an item to be shipped. */
export type RunInput = RedemptionInput | FulfillmentInput
export type RunWorkflow = (input: RunInput) => Promise<RedemptionEnding>

/** How a run ended, for the operator who opens it. */
export type RedemptionEnding = {
  readonly redemption: string
  readonly status: RedemptionStatus | 'never_created' | 'missing'
  readonly story: string
}

export type PaymentInput = RowOf<PaymentFacts> & {
  readonly workspace: string
  readonly payment: string
  /** ISO 8601; when an open sandbox payment expires, null where its provider decides. */
  readonly expiresAt: string | null
}

export type PaymentEnding = {
  readonly payment: string
  readonly status: string | null
  readonly story: string
}

export type PaymentWorkflow = (input: PaymentInput) => Promise<PaymentEnding>

export type TierReviewInput = RowOf<TierReviewFacts> & {
  readonly workspace: string
  readonly account: string
  /** ISO 8601; the next date at which the tier could fall. */
  readonly reviewsAt: string
}

export type TierReviewEnding = {
  readonly account: string
  readonly tier: string | null
  readonly story: string
}

export type TierReviewWorkflow = (input: TierReviewInput) => Promise<TierReviewEnding>

/** `changed`: changes of tier made by the runs that this one continues. */
export type TierReassessmentInput = RowOf<unknown> & {
  workspace: string
  program: string
  changed?: number
}
type TierReassessmentEnding = {
  program: string
  judged: number
  changed: number
  story: string
}
export type TierReassessmentWorkflow = (
  input: TierReassessmentInput,
) => Promise<TierReassessmentEnding>

export type WebhookInput = RowOf<unknown> & {
  readonly workspace: string
  readonly endpoint: string
}
export type WebhookEnding = { readonly endpoint: string; readonly story: string }
export type WebhookWorkflow = (input: WebhookInput) => Promise<WebhookEnding>

export type AccountExpiryInput = RowOf<AccountExpiryFacts> & {
  readonly workspace: string
  readonly account: string
  /** ISO 8601; the warning or expiry that the run is delayed to. */
  readonly wakesAt: string
}

export type AccountExpiryEnding = { readonly account: string; readonly story: string }

export type AccountExpiryWorkflow = (input: AccountExpiryInput) => Promise<AccountExpiryEnding>

export type BulkInput = RowOf<BulkFacts> & { readonly workspace: string; readonly bulk: string }

export type BulkEnding = {
  readonly bulk: string
  /** Rows; null where the run was signalled the end and never worked. */
  readonly posted: number | null
  readonly refused: number | null
}

export type BulkWorkflow = (input: BulkInput) => Promise<BulkEnding>

export type ErasureInput = RowOf<unknown> & {
  readonly workspace: string
  readonly account: string
  /** Searches that found something, by the runs that this one continues. */
  readonly searches?: number
}
export type ErasureEnding = { readonly account: string; readonly story: string }
export type ErasureWorkflow = (input: ErasureInput) => Promise<ErasureEnding>

export type ApprovalInput = RowOf<ApprovalFacts> & {
  readonly workspace: string
  readonly approval: string
  readonly kind: ApprovalKind
  readonly effect: ApprovalEffect
  /** The id of who asked. */
  readonly asker: string
  /** ISO 8601. */
  readonly expiresAt: string
}

export type ApprovalEnding = { readonly approval: string; readonly status: ApprovalStatus }

export type ApprovalWorkflow = (input: ApprovalInput) => Promise<ApprovalEnding>

export type ReportedEventInput = RowOf<unknown> & AcceptedEvent

export type ReportedEventEnding = {
  readonly eventId: string
  readonly outcome: string
  readonly story: string
}

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

export type ApprovalFacts = {
  status: ApprovalStatus
  /** Null once the reminder has gone out. */
  remindsAt: string | null
  expiresAt: string
}
