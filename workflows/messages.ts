import { defineSignal, defineUpdate } from '@temporalio/workflow'
import type { RedemptionStatus } from '../domain/redemption-status.ts'
import type { RedemptionFacts } from '../domain/redemption-story.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { AccountExpiryFacts, BulkFacts, PaymentFacts, TierReviewFacts } from './facts.ts'

/** Ids, messages and search attributes: everything two processes must spell the same way. */

/** A redemption's run carries the id that the API returned; it is unique across workspaces. */
export const redemptionWorkflowId = (redemption: string): string => redemption

/** A provider chooses its payments' ids, so that two workspaces may know the same one. */
export const paymentWorkflowId = (workspace: string, payment: string): string =>
  `${workspace}/${payment}`

/** An endpoint's run carries its id. */
export const webhookWorkflowId = (endpoint: string): string => endpoint

/** Account ids repeat across workspaces (the demo's do). */
export const accountExpiryWorkflowId = (workspace: string, account: string): string =>
  `expiry/${workspace}/${account}`

/** An import or a reversal carries the id that the API returned. */
export const bulkWorkflowId = (bulk: string): string => bulk

/** A till's event is found by the till's own id of it. */
export const reportedEventWorkflowId = (workspace: string, eventId: string): string =>
  `${workspace}/event/${eventId}`

export const EXPIRY_BATCH_WORKFLOW_ID = 'expiry-batch'
export const EXPIRY_BATCH_SCHEDULE_ID = 'expiry-batch-every-minute'
export const LEDGER_TOTALS_WORKFLOW_ID = 'ledger-totals'
export const LEDGER_TOTALS_SCHEDULE_ID = 'ledger-totals-every-minute'
export const LIABILITY_SNAPSHOT_WORKFLOW_ID = 'liability-snapshot'
export const LIABILITY_SNAPSHOT_SCHEDULE_ID = 'liability-snapshot-daily'

export const CREDIT_EXPIRY_WORKFLOW_ID = 'credit-expiry'
export const CREDIT_EXPIRY_SCHEDULE_ID = 'credit-expiry-every-quarter-hour'

/** The reconciler's, as the releases before published them. */
export const RECONCILER_WORKFLOW_ID = 'net'
export const RECONCILER_SCHEDULE_ID = 'net-every-minute'

/**
 * What a run is started with beside its input: what its row says. An API of the release before sends
 * none of it, and the run looks at the row first.
 */
export type RowOf<Facts> = { readonly facts?: Facts | null; readonly revision?: number | null }

export type RedemptionInput = RowOf<RedemptionFacts> & {
  readonly workspace: string
  readonly redemption: string
  readonly account: string
  readonly reward: string
  /** ISO 8601; the moment the points return by themselves. */
  readonly releasesAt: string
  /** Milliseconds a create may still write the row after arming; the usual window where nothing was armed. */
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

/** A member's tier review is found by the account's id. */
export const tierReviewWorkflowId = (workspace: string, account: string): string =>
  `${workspace}/${account}/tier`

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

/** The walk over a program's members is found by the program's id, which workspaces share. */
export const tierReassessmentWorkflowId = (workspace: string, program: string): string =>
  `${workspace}/${program}/tiers`
/** `changed`: changes of tier made by the runs that this one continues. */
export type TierReassessmentInput = RowOf<unknown> & {
  workspace: string
  program: string
  changed?: number
}
type Walked = { program: string; judged: number; changed: number; story: string }
export type TierReassessmentWorkflow = (input: TierReassessmentInput) => Promise<Walked>
/** The program's tiers were changed once more. */
export const tiersChanged = defineSignal('tiersChanged')

export type WebhookInput = RowOf<unknown> & {
  readonly workspace: string
  readonly endpoint: string
}
export type WebhookEnding = { readonly endpoint: string; readonly story: string }
export type WebhookWorkflow = (input: WebhookInput) => Promise<WebhookEnding>
export type AccountExpiryInput = RowOf<AccountExpiryFacts> & {
  readonly workspace: string
  readonly account: string
  /** ISO 8601; the warning or expiry that the run was armed to. */
  readonly wakesAt: string
}

export type AccountExpiryEnding = { readonly account: string; readonly story: string }

export type AccountExpiryWorkflow = (input: AccountExpiryInput) => Promise<AccountExpiryEnding>

export type BulkInput = RowOf<BulkFacts> & { readonly workspace: string; readonly bulk: string }

export type BulkEnding = {
  readonly bulk: string
  /** Rows; null where the run was told the end and never looked. */
  readonly posted: number | null
  readonly refused: number | null
}

export type BulkWorkflow = (input: BulkInput) => Promise<BulkEnding>

/** A till's event as `reportEvent` takes it. `occurredAt`: ISO 8601. */
export type ReportedEventInput = RowOf<unknown> & {
  readonly workspace: string
  readonly id: string
  readonly eventId: string
  readonly fingerprint: string
  readonly type: string
  readonly user: string
  readonly payload: unknown
  readonly occurredAt: string
  readonly strict: boolean
  readonly dryRun: boolean
  readonly reactors: string
}

export type ReportedEventEnding = {
  readonly eventId: string
  readonly outcome: string
  readonly story: string
}

export type ReportedEventWorkflow = (input: ReportedEventInput) => Promise<ReportedEventEnding>

/** The workflow types, as `workflows/index.ts` exports them. */
export const WORKFLOW = {
  redemption: 'redemption',
  fulfillment: 'fulfillment',
  payment: 'payment',
  tierReview: 'tierReview',
  tierReassessment: 'tierReassessment',
  webhook: 'webhook',
  net: 'net',
  accountExpiry: 'accountExpiry',
  expiryBatch: 'expiryBatch',
  bulkRun: 'bulkRun',
  ledgerTotals: 'ledgerTotals',
  liabilitySnapshot: 'liabilitySnapshot',
  reportedEvent: 'reportedEvent',
  creditExpiry: 'creditExpiry',
} as const

/** What a row says at one time; of two, the one with the higher revision is newer. */
export type Row<Facts> = { readonly revision: number; readonly facts: Facts }

/** The row has changed: this is what it says now. The one signal of every workflow. */
export const rowChanged = defineSignal<[Row<unknown>]>('rowChanged')

/** Something of the account may expire earlier than its run knows. */
export const expiryChanged = defineSignal('expiryChanged')
/** An import or reversal was paused or resumed; its row says which. */
export const bulkChanged = defineSignal('bulkChanged')

/** Sent by signalWithStart, by which a delayed run wakes (a plain signal does not wake it). */
export const created = defineSignal('created')
export const paymentCompleted = defineSignal<[PaymentMessage]>('paymentCompleted')
export const paymentFailed = defineSignal<[PaymentMessage]>('paymentFailed')
/** Something about this payment is in the inbox. */
export const paymentTold = defineSignal('paymentTold')

/** The tier could fall at this date already (ISO 8601). */
export const reviewMoved = defineSignal<[string]>('reviewMoved')
/** Something is due at this endpoint. */
export const nudged = defineSignal('nudged')

export type PaymentMessage = { readonly payment: string; readonly status: string }

/** The operation id makes a repeat of the message find the first one's outcome. */
export type Operation = { readonly operation: string; readonly fingerprint: string }

export type CancelMessage = Operation & { readonly reason: string }
export type ExtendMessage = Operation & { readonly minutes: number }
export type ReverseMessage = Operation & {
  readonly reason: string
  /** A part of it; neither: all that is left. */
  readonly points?: number
  readonly quantity?: number
  /** The payment is refunded what the discount took off it, under these ids. */
  readonly refund?: { readonly id: string; readonly event: string }
}
export type FulfillMessage = Operation & {
  readonly tracking: string | null
  readonly carrier: string | null
  /** Items; all that are left without it. */
  readonly quantity?: number
}

/** The row has the outcome; the answer says only whether the message was obeyed. */
export type MessageAnswer = { readonly replayed: boolean; readonly refusal?: Refusal }

export const cancel = defineUpdate<MessageAnswer, [CancelMessage]>('cancel')
/** The till's sale went through: no payment is to be waited for. */
export const confirm = defineUpdate<MessageAnswer, [Operation]>('confirm')
export const extend = defineUpdate<MessageAnswer, [ExtendMessage]>('extend')
export const reverse = defineUpdate<MessageAnswer, [ReverseMessage]>('reverse')
export const fulfill = defineUpdate<MessageAnswer, [FulfillMessage]>('fulfill')
