import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'

/** Ids, messages and search attributes: everything that two processes must spell the same way. */

/** The workflow types, as `workflows/index.ts` exports them. */
export const WORKFLOW = {
  redemption: 'redemption',
  fulfillment: 'fulfillment',
  payment: 'payment',
  tierReview: 'tierReview',
  tierReassessment: 'tierReassessment',
  webhook: 'webhook',
  /** As the releases before published it. */
  reconciler: 'net',
  accountExpiry: 'accountExpiry',
  expiryBatch: 'expiryBatch',
  bulkRun: 'bulkRun',
  ledgerTotals: 'ledgerTotals',
  liabilitySnapshot: 'liabilitySnapshot',
  reportedEvent: 'reportedEvent',
  creditExpiry: 'creditExpiry',
  erasure: 'erasure',
  approval: 'approval',
} as const

// A redemption's run carries the id that the API returned, and so does an import's, a reversal's or an approval's.

/** A provider chooses its payments' ids, so that two workspaces may know the same one. */
export const paymentWorkflowId = (workspace: string, payment: string): string =>
  `${workspace}/${payment}`

/** An endpoint's run carries its id. */
export const webhookWorkflowId = (endpoint: string): string => endpoint

/** Account ids repeat across workspaces (the demo's do). */
export const accountExpiryWorkflowId = (workspace: string, account: string): string =>
  `expiry/${workspace}/${account}`

/** A member's tier review is found by the account's id. */
export const tierReviewWorkflowId = (workspace: string, account: string): string =>
  `${workspace}/${account}/tier`

/** The walk over a program's members is found by the program's id, which workspaces share. */
export const tierReassessmentWorkflowId = (workspace: string, program: string): string =>
  `${workspace}/${program}/tiers`

/** A till's event is found by the till's own id of it. */
export const reportedEventWorkflowId = (workspace: string, eventId: string): string =>
  `${workspace}/event/${eventId}`

/** As for expiry. */
export const erasureWorkflowId = (workspace: string, account: string): string =>
  `erasure/${workspace}/${account}`

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

export const SIGNAL = {
  /** The row has changed: this is what it says now. The one signal of every workflow. */
  rowChanged: 'rowChanged',
  /** Something is due at this endpoint: its delivery rows are its outbox. */
  deliveriesDue: 'nudged',
  // What an API of the release before sends.
  created: 'created',
  paymentCompleted: 'paymentCompleted',
  paymentFailed: 'paymentFailed',
  paymentTold: 'paymentTold',
  expiryChanged: 'expiryChanged',
  bulkChanged: 'bulkChanged',
  reviewMoved: 'reviewMoved',
  tiersChanged: 'tiersChanged',
} as const

/** What an API of the release before asks a redemption's run to do. */
export const UPDATE = {
  cancel: 'cancel',
  confirm: 'confirm',
  extend: 'extend',
  reverse: 'reverse',
  fulfill: 'fulfill',
} as const

/** What an operator filters by. Account and reward are set at the start, the others at the end. */
export const RedemptionAccount = defineSearchAttributeKey(
  'RedemptionAccount',
  SearchAttributeType.KEYWORD,
)
export const RedemptionReward = defineSearchAttributeKey(
  'RedemptionReward',
  SearchAttributeType.KEYWORD,
)
export const RedemptionStatusKey = defineSearchAttributeKey(
  'RedemptionStatus',
  SearchAttributeType.KEYWORD,
)
export const RedemptionPayment = defineSearchAttributeKey(
  'RedemptionPayment',
  SearchAttributeType.KEYWORD,
)

export const SEARCH_ATTRIBUTES = [
  RedemptionAccount,
  RedemptionReward,
  RedemptionStatusKey,
  RedemptionPayment,
]
