// Made from the database and the comments in db/sql by `npm run ledger`. Not to be edited.

import { command, list, read, table } from './border.ts'
import type { AccountAnswer, AccountChange, ViewAnswer } from './results/account.ts'
import type { KeyKind, KeyUse } from './results/api_key.ts'
import type {
  ApprovalAnswer,
  ApprovalEffect,
  ApprovalFacts,
  ApprovalKind,
  Maker,
} from './results/approval.ts'
import type { BackfillTurn } from './results/backfill.ts'
import type { ChunkResult } from './results/bulk.ts'
import type { CodesUploadResult, UploadedCode } from './results/code_pool.ts'
import type { ErasedStore, ErasureAnswer, ErasureWait } from './results/erasure.ts'
import type { ExpiryCheck } from './results/expiry.ts'
import type { EarningPreview, PaymentEarnings } from './results/explanation.ts'
import type { LiabilityReport } from './results/liability.ts'
import type { IdentityAnswer, WalletAnswer } from './results/member.ts'
import type { OutboxBacklog, OutboxRow, WaitingRow } from './results/outbox.ts'
import type {
  ContentPath,
  PaymentMapping,
  PaymentResult,
  PaymentStatus,
  RedemptionRef,
  ReportedMore,
  ReportedPayment,
  StoreCreditRequest,
} from './results/payment.ts'
import type { BatchResult, BatchRow, PostResult, ReverseResult } from './results/points.ts'
import type { PaymentReconciliation } from './results/reconciliation.ts'
import type { Quote, RedemptionResult, SealedCode } from './results/redemption.ts'
import type { RefundResult } from './results/refund.ts'
import type { EventPrecheck, ReactionPlan, ReportResult } from './results/reported_event.ts'
import type { RewardEligibility } from './results/reward.ts'
import type { Snapshot } from './results/row.ts'
import type { AccountWallets, CreditLiability } from './results/store_credit.ts'
import type { AttemptLimit, Role, SessionUse, TokenKind } from './results/team_member.ts'
import type { NextTier, QualifyOn, ReassessmentPage, TierReviewResult } from './results/tier.ts'
import type {
  DeliveryAttempt,
  DeliveryBatch,
  DeliverySettlement,
  EndpointUnderway,
  NextDelivery,
  WaitingEndpoints,
} from './results/webhook.ts'
import type { MergedSettings, Settings, SettingsChange } from './results/workspace.ts'

/** `ledger.account_balance_at`, db/sql/expiry.sql */
export const accountBalanceAt = read<
  { workspace: string; account: string; at: string | Date },
  number | null
>('account_balance_at', ['workspace', 'account', 'at'])

/** `ledger.account_create`, db/sql/account.sql */
export const accountCreate = command<
  {
    workspace: string
    id: string
    program: string
    customer: string | null
    metadata: Record<string, string>
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  AccountAnswer
>('account_create', [
  'workspace',
  'id',
  'program',
  'customer',
  'metadata::jsonb',
  'route',
  'key',
  'fingerprint',
  'at',
])

/** `ledger.account_erase`, db/sql/erasure.sql */
export const accountErase = command<
  {
    workspace: string
    id: string
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  ErasureAnswer
>('account_erase', ['workspace', 'id', 'route', 'key', 'fingerprint', 'at'])

/** `ledger.account_expire`, db/sql/expiry.sql */
export const accountExpire = command<
  { workspace: string; account: string; at: string | Date; resume?: boolean },
  ExpiryCheck
>('account_expire', ['workspace', 'account', 'at', 'resume?'])

/** `ledger.account_merge`, db/sql/account.sql */
export const accountMerge = command<
  {
    workspace: string
    source: string
    target: string
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  AccountAnswer
>('account_merge', ['workspace', 'source', 'target', 'route', 'key', 'fingerprint', 'at'])

/** `ledger.account_set_status`, db/sql/account.sql */
export const accountSetStatus = command<
  {
    workspace: string
    id: string
    status: 'active' | 'closed'
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  AccountAnswer
>('account_set_status', ['workspace', 'id', 'status', 'route', 'key', 'fingerprint', 'at'])

/** `ledger.account_update`, db/sql/account.sql */
export const accountUpdate = command<
  {
    workspace: string
    id: string
    change: AccountChange
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  AccountAnswer
>('account_update', ['workspace', 'id', 'change::jsonb', 'route', 'key', 'fingerprint', 'at'])

/** `ledger.account_view`, db/sql/account.sql */
export const accountView = read<{ workspace: string; id: string }, ViewAnswer | null>(
  'account_view',
  ['workspace', 'id'],
)

/** `ledger.accounts_expire`, db/sql/expiry.sql */
export const accountsExpire = command<
  { workspace: string; accounts: readonly string[]; at: string | Date },
  number
>('accounts_expire', ['workspace', 'accounts', 'at'])

/** `ledger.all_programs`, db/sql/liability.sql */
export const allPrograms = table<Record<string, never>, { workspace: string; program: string }>(
  'all_programs',
  [],
)

/** `ledger.api_key_find`, db/sql/api_key.sql */
export const apiKeyFind = table<
  { hash: string },
  {
    workspace: string
    id: string
    kind: KeyKind
    livemode: boolean
    expires_at: Date | null
    revoked_at: Date | null
    name: string | null
    scopes: string[]
  }
>('api_key_find', ['hash'])

/** `ledger.api_keys_used`, db/sql/api_key.sql */
export const apiKeysUsed = command<{ used: KeyUse[] }, void>('api_keys_used', ['used::jsonb'])

/** `ledger.approval_advance`, db/sql/approval.sql */
export const approvalAdvance = command<
  { workspace: string; id: string; at: string | Date; resume?: boolean },
  ApprovalFacts
>('approval_advance', ['workspace', 'id', 'at', 'resume?'])

/** `ledger.approval_approve`, db/sql/approval.sql */
export const approvalApprove = command<
  {
    workspace: string
    id: string
    actor: Maker
    note: string | null
    alone: boolean
    at: string | Date
  },
  ApprovalAnswer
>('approval_approve', ['workspace', 'id', 'actor::jsonb', 'note', 'alone', 'at'])

/** `ledger.approval_close`, db/sql/approval.sql */
export const approvalClose = command<
  {
    workspace: string
    id: string
    status: 'declined' | 'withdrawn'
    actor: Maker
    note: string | null
    at: string | Date
  },
  ApprovalAnswer
>('approval_close', ['workspace', 'id', 'status', 'actor::jsonb', 'note', 'at'])

/** `ledger.approval_effect_of_import`, db/sql/approval.sql */
export const approvalEffectOfImport = command<{ workspace: string; bulk: string }, ApprovalEffect>(
  'approval_effect_of_import',
  ['workspace', 'bulk'],
)

/** `ledger.approval_effect_of_reversal`, db/sql/approval.sql */
export const approvalEffectOfReversal = command<
  { workspace: string; batch: string },
  ApprovalEffect
>('approval_effect_of_reversal', ['workspace', 'batch'])

/** `ledger.approval_request`, db/sql/approval.sql */
export const approvalRequest = command<
  {
    workspace: string
    id: string
    kind: ApprovalKind
    account: string | null
    batch: string | null
    reason: string | null
    command: Record<string, unknown>
    effect: ApprovalEffect
    ceiling: number | null
    fingerprint: string
    actor: Maker
    at: string | Date
    expiresAt: string | Date
  },
  ApprovalAnswer
>('approval_request', [
  'workspace',
  'id',
  'kind',
  'account',
  'batch',
  'reason',
  'command::jsonb',
  'effect::jsonb',
  'ceiling',
  'fingerprint',
  'actor::jsonb',
  'at',
  'expires_at',
])

/** `ledger.approvals_overdue`, db/sql/approval.sql */
export const approvalsOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; id: string }
>('approvals_overdue', ['before', 'limit', 'skip?'])

/** `ledger.attempts_give_back`, db/sql/attempt.sql */
export const attemptsGiveBack = command<{ keys: readonly string[] }, void>('attempts_give_back', [
  'keys',
])

/** `ledger.attempts_take`, db/sql/attempt.sql */
export const attemptsTake = command<{ limits: AttemptLimit[]; at: string | Date }, number>(
  'attempts_take',
  ['limits::jsonb', 'at'],
)

/** `ledger.backfill_turn`, db/sql/backfill.sql */
export const backfillTurn = command<{ store: string; limit: number }, BackfillTurn>(
  'backfill_turn',
  ['store', 'limit'],
)

/** `ledger.bulk_cancel`, db/sql/bulk.sql */
export const bulkCancel = command<{ workspace: string; bulk: string; at?: string | Date }, void>(
  'bulk_cancel',
  ['workspace', 'bulk', 'at?'],
)

/** `ledger.bulk_complete`, db/sql/bulk.sql */
export const bulkComplete = command<
  { workspace: string; bulk: string; at: string | Date },
  Snapshot | null
>('bulk_complete', ['workspace', 'bulk', 'at'])

/** `ledger.bulk_outbox`, db/sql/bulk.sql */
export const bulkOutbox = command<{ workspace: string; bulk: string }, void>('bulk_outbox', [
  'workspace',
  'bulk',
])

/** `ledger.bulk_post_chunk`, db/sql/bulk.sql */
export const bulkPostChunk = command<
  { workspace: string; bulk: string; no: number; at: string | Date },
  ChunkResult
>('bulk_post_chunk', ['workspace', 'bulk', 'no', 'at'])

/** `ledger.bulk_reverse_chunk`, db/sql/bulk.sql */
export const bulkReverseChunk = command<
  { workspace: string; bulk: string; limit: number; at: string | Date },
  ChunkResult
>('bulk_reverse_chunk', ['workspace', 'bulk', 'limit', 'at'])

/** `ledger.bulk_upload_adopt`, db/sql/bulk.sql */
export const bulkUploadAdopt = command<
  { workspace: string; upload: string; bulk: string },
  number | null
>('bulk_upload_adopt', ['workspace', 'upload', 'bulk'])

/** `ledger.bulk_upload_forget`, db/sql/bulk.sql */
export const bulkUploadForget = command<{ workspace: string; upload: string }, void>(
  'bulk_upload_forget',
  ['workspace', 'upload'],
)

/** `ledger.bulk_upload_keep`, db/sql/bulk.sql */
export const bulkUploadKeep = command<
  { workspace: string; upload: string; no: number; rows: string },
  boolean
>('bulk_upload_keep', ['workspace', 'upload', 'no', 'rows'])

/** `ledger.bulk_upload_open`, db/sql/bulk.sql */
export const bulkUploadOpen = command<{ workspace: string; upload: string; most: number }, boolean>(
  'bulk_upload_open',
  ['workspace', 'upload', 'most'],
)

/** `ledger.bulk_uploads_forget_dead`, db/sql/bulk.sql */
export const bulkUploadsForgetDead = command<{ limit: number }, number>(
  'bulk_uploads_forget_dead',
  ['limit'],
)

/** `ledger.bulks_stalled`, db/sql/bulk.sql */
export const bulksStalled = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; bulk: string }
>('bulks_stalled', ['before', 'limit', 'skip?'])

/** `ledger.catalogue_eligibility`, db/sql/reward.sql */
export const catalogueEligibility = read<
  { workspace: string; account: string; rewards: readonly string[] },
  RewardEligibility[] | null
>('catalogue_eligibility', ['workspace', 'account', 'rewards'])

/** `ledger.codes_upload`, db/sql/code_pool.sql */
export const codesUpload = command<
  {
    workspace: string
    pool: string
    batch: string
    codes: UploadedCode[]
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  CodesUploadResult
>('codes_upload', [
  'workspace',
  'pool',
  'batch',
  'codes::jsonb',
  'route',
  'key',
  'fingerprint',
  'at',
])

/** `ledger.credit_account_expire`, db/sql/store_credit.sql */
export const creditAccountExpire = command<
  { workspace: string; account: string; at: string | Date },
  number
>('credit_account_expire', ['workspace', 'account', 'at'])

/** `ledger.credit_liability`, db/sql/store_credit.sql */
export const creditLiability = read<
  { workspace: string; program: string; at: string | Date | null },
  CreditLiability | null
>('credit_liability', ['workspace', 'program', 'at'])

/** `ledger.credit_wallets`, db/sql/store_credit.sql */
export const creditWallets = read<{ workspace: string; account: string }, AccountWallets | null>(
  'credit_wallets',
  ['workspace', 'account'],
)

/** `ledger.credits_overdue`, db/sql/store_credit.sql */
export const creditsOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; account: string }
>('credits_overdue', ['before', 'limit', 'skip?'])

/** `ledger.decimals_kept`, db/sql/program.sql */
export const decimalsKept = command<{ workspace: string; program: string; decimals: number }, void>(
  'decimals_kept',
  ['workspace', 'program', 'decimals'],
)

/** `ledger.decimals_used`, db/sql/program.sql */
export const decimalsUsed = command<{ workspace: string; program: string }, boolean>(
  'decimals_used',
  ['workspace', 'program'],
)

/** `ledger.earning_preview`, db/sql/explanation.sql */
export const earningPreview = read<
  {
    workspace: string
    account: string | null
    customer: string | null
    amount: number
    currency: string
    metadata: Record<string, string>
    at: string | Date | null
  },
  EarningPreview | null
>('earning_preview', [
  'workspace',
  'account',
  'customer',
  'amount',
  'currency',
  'metadata::jsonb',
  'at',
])

/** `ledger.earnings_overdue`, db/sql/earning.sql */
export const earningsOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; source: string }
>('earnings_overdue', ['before', 'limit', 'skip?'])

/** `ledger.endpoints_undelivered`, db/sql/webhook.sql */
export const endpointsUndelivered = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; endpoint: string }
>('endpoints_undelivered', ['before', 'limit', 'skip?'])

/** `ledger.erasure_certify`, db/sql/erasure.sql */
export const erasureCertify = command<
  { workspace: string; account: string; at: string | Date },
  Record<string, number>
>('erasure_certify', ['workspace', 'account', 'at'])

/** `ledger.erasure_check`, db/sql/erasure.sql */
export const erasureCheck = command<
  { workspace: string; account: string; at: string | Date },
  ErasureWait[] | null
>('erasure_check', ['workspace', 'account', 'at'])

/** `ledger.erasure_outbox`, db/sql/erasure.sql */
export const erasureOutbox = command<{ workspace: string; account: string }, void>(
  'erasure_outbox',
  ['workspace', 'account'],
)

/** `ledger.erasure_seal`, db/sql/erasure.sql */
export const erasureSeal = command<
  { workspace: string; account: string; store: ErasedStore; limit: number; at: string | Date },
  number
>('erasure_seal', ['workspace', 'account', 'store', 'limit', 'at'])

/** `ledger.erasure_view`, db/sql/erasure.sql */
export const erasureView = read<{ workspace: string; account: string }, Snapshot | null>(
  'erasure_view',
  ['workspace', 'account'],
)

/** `ledger.erasures_stalled`, db/sql/erasure.sql */
export const erasuresStalled = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; account: string }
>('erasures_stalled', ['before', 'limit', 'skip?'])

/** `ledger.event_hold`, db/sql/reported_event.sql */
export const eventHold = command<
  {
    workspace: string
    id: string
    eventId: string
    fingerprint: string
    user: string
    account: string
    type: string
    typeVersion: number
    payload: unknown
    occurredAt: string | Date
    at: string | Date
    plan: readonly ReactionPlan[]
    redemption: string
    holdMinutes: number | bigint
    code: string
    minor: number | bigint
    per: number | bigint
    currency: string
    decimals: number
  },
  ReportResult
>('event_hold', [
  'workspace',
  'id',
  'event_id',
  'fingerprint',
  'user',
  'account',
  'type',
  'type_version',
  'payload::jsonb',
  'occurred_at',
  'at',
  'plan::jsonb',
  'redemption',
  'hold_minutes',
  'code',
  'minor',
  'per',
  'currency',
  'decimals',
])

/** `ledger.event_precheck`, db/sql/reported_event.sql */
export const eventPrecheck = read<
  {
    workspace: string
    eventId: string
    type: string
    user: string
    reactors: string
    occurredAt: string | Date | null
  },
  EventPrecheck
>('event_precheck', ['workspace', 'event_id', 'type', 'user', 'reactors', 'occurred_at'])

/** `ledger.event_report`, db/sql/reported_event.sql */
export const eventReport = command<
  {
    workspace: string
    id: string
    eventId: string
    fingerprint: string
    user: string
    account: string
    type: string
    typeVersion: number
    payload: unknown
    occurredAt: string | Date
    at: string | Date
    strict: boolean
    plan: readonly ReactionPlan[]
    dryRun: boolean
    decimals: number
  },
  ReportResult
>('event_report', [
  'workspace',
  'id',
  'event_id',
  'fingerprint',
  'user',
  'account',
  'type',
  'type_version',
  'payload::jsonb',
  'occurred_at',
  'at',
  'strict',
  'plan::jsonb',
  'dry_run',
  'decimals',
])

/** `ledger.event_undo`, db/sql/reported_event.sql */
export const eventUndo = command<
  {
    workspace: string
    id: string
    eventId: string
    fingerprint: string
    user: string
    type: string
    typeVersion: number
    payload: unknown
    reverses: string
    points: number | null
    occurredAt: string | Date
    at: string | Date
  },
  ReportResult
>('event_undo', [
  'workspace',
  'id',
  'event_id',
  'fingerprint',
  'user',
  'type',
  'type_version',
  'payload::jsonb',
  'reverses',
  'points',
  'occurred_at',
  'at',
])

/** `ledger.expiry_checks_earlier`, db/sql/expiry.sql */
export const expiryChecksEarlier = command<
  { workspace: string; program: string; at: string | Date },
  number
>('expiry_checks_earlier', ['workspace', 'program', 'at'])

/** `ledger.expiry_checks_overdue`, db/sql/expiry.sql */
export const expiryChecksOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; account: string }
>('expiry_checks_overdue', ['before', 'limit', 'skip?'])

/** `ledger.failures_count`, db/sql/attempt.sql */
export const failuresCount = table<
  { key: string; windowMs: number; at: string | Date },
  { failures: number; ends_at: Date }
>('failures_count', ['key', 'window_ms', 'at'])

/** `ledger.fulfillment_cancel`, db/sql/fulfillment.sql */
export const fulfillmentCancel = command<
  {
    workspace: string
    id: string
    reason: string
    operation: string
    fingerprint: string
    at: string | Date | null
  },
  RedemptionResult
>('fulfillment_cancel', ['workspace', 'id', 'reason', 'operation', 'fingerprint', 'at'])

/** `ledger.fulfillment_overdue`, db/sql/fulfillment.sql */
export const fulfillmentOverdue = command<
  { workspace: string; id: string; at: string | Date },
  RedemptionResult
>('fulfillment_overdue', ['workspace', 'id', 'at'])

/** `ledger.fulfillment_resume`, db/sql/fulfillment.sql */
export const fulfillmentResume = command<{ workspace: string; id: string }, void>(
  'fulfillment_resume',
  ['workspace', 'id'],
)

/** `ledger.fulfillment_ship`, db/sql/fulfillment.sql */
export const fulfillmentShip = command<
  {
    workspace: string
    id: string
    quantity: number | null
    tracking: string | null
    carrier: string | null
    operation: string
    fingerprint: string
    at: string | Date | null
  },
  RedemptionResult
>('fulfillment_ship', [
  'workspace',
  'id',
  'quantity',
  'tracking',
  'carrier',
  'operation',
  'fingerprint',
  'at',
])

/** `ledger.fulfillments_overdue`, db/sql/fulfillment.sql */
export const fulfillmentsOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; id: string }
>('fulfillments_overdue', ['before', 'limit', 'skip?'])

/** `ledger.idempotency_forget`, db/sql/command.sql */
export const idempotencyForget = command<{ before: string | Date }, number>('idempotency_forget', [
  'before',
])

/** `ledger.inbox_payloads_forget`, db/sql/inbox.sql */
export const inboxPayloadsForget = command<{ before: string | Date; limit: number }, number>(
  'inbox_payloads_forget',
  ['before', 'limit'],
)

/** `ledger.ledger_roll_up`, db/sql/liability.sql */
export const ledgerRollUp = command<Record<string, never>, number>('ledger_roll_up', [])

/** `ledger.liability_periods`, db/sql/liability.sql */
export const liabilityPeriods = table<
  { workspace: string; program: string; from: string; to: string; period: 'day' | 'month' },
  {
    period: string
    opening: number
    earned: number
    spent: number
    expired: number
    clawed_back: number
    adjusted: number
    closing: number
    value: number
    currency: string
    liability_minor: number
  }
>('liability_periods', ['workspace', 'program', 'from', 'to', 'period'])

/** `ledger.liability_report`, db/sql/liability.sql */
export const liabilityReport = read<
  { workspace: string; program: string; at: string | Date | null },
  LiabilityReport | null
>('liability_report', ['workspace', 'program', 'at'])

/** `ledger.liability_snapshot`, db/sql/liability.sql */
export const liabilitySnapshot = command<
  { workspace: string; program: string; midnight: string | Date },
  boolean
>('liability_snapshot', ['workspace', 'program', 'midnight'])

/** `ledger.member_forget`, db/sql/member.sql */
export const memberForget = command<
  { workspace: string; id: string; at: string | Date },
  Snapshot | null
>('member_forget', ['workspace', 'id', 'at'])

/** `ledger.member_identify`, db/sql/member.sql */
export const memberIdentify = command<
  {
    workspace: string
    id: string
    account: string
    kind: string
    value: string
    label: string | null
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  IdentityAnswer
>('member_identify', [
  'workspace',
  'id',
  'account',
  'kind',
  'value',
  'label',
  'route',
  'key',
  'fingerprint',
  'at',
])

/** `ledger.member_pepper_of`, db/sql/member.sql */
export const memberPepperOf = command<{ workspace: string; fresh: string }, string>(
  'member_pepper_of',
  ['workspace', 'fresh'],
)

/** `ledger.member_presented`, db/sql/member.sql */
export const memberPresented = command<
  { workspace: string; kind: string; value: string; step: number | null; by: string },
  WalletAnswer | null
>('member_presented', ['workspace', 'kind', 'value', 'step', 'by'])

/** `ledger.member_view`, db/sql/member.sql */
export const memberView = read<{ workspace: string; user: string }, WalletAnswer | null>(
  'member_view',
  ['workspace', 'user'],
)

/** `ledger.memberships_of_user`, db/sql/session.sql */
export const membershipsOfUser = table<
  { user: string },
  { id: string; workspace: string; workspace_name: string; livemode: boolean; role: Role }
>('memberships_of_user', ['user'])

/** `ledger.oidc_sign_in`, db/sql/session.sql */
export const oidcSignIn = command<
  { issuer: string; subject: string; email: string | null; at: string | Date },
  string | null
>('oidc_sign_in', ['issuer', 'subject', 'email', 'at'])

/** `ledger.outbox_claim`, db/sql/outbox.sql */
export const outboxClaim = list<{ limit: number }, OutboxRow>('outbox_claim', ['limit'])

/** `ledger.outbox_make_due`, db/sql/outbox.sql */
export const outboxMakeDue = command<{ before: string | Date; limit: number }, number>(
  'outbox_make_due',
  ['before', 'limit'],
)

/** `ledger.outbox_refused`, db/sql/outbox.sql */
export const outboxRefused = command<
  { workspace: string; workflowId: string; revision: number; error: string },
  void
>('outbox_refused', ['workspace', 'workflow_id', 'revision', 'error'])

/** `ledger.outbox_release`, db/sql/outbox.sql */
export const outboxRelease = command<
  { workspaces: readonly string[]; workflowIds: readonly string[]; leases: readonly number[] },
  number
>('outbox_release', ['workspaces', 'workflow_ids', 'leases'])

/** `ledger.outbox_renew`, db/sql/outbox.sql */
export const outboxRenew = list<
  { workspaces: readonly string[]; workflowIds: readonly string[]; leases: readonly number[] },
  OutboxRow
>('outbox_renew', ['workspaces', 'workflow_ids', 'leases'])

/** `ledger.outbox_sent`, db/sql/outbox.sql */
export const outboxSent = command<
  { workspaces: readonly string[]; workflowIds: readonly string[]; revisions: readonly number[] },
  number
>('outbox_sent', ['workspaces', 'workflow_ids', 'revisions'])

/** `ledger.outbox_waiting`, db/sql/outbox.sql */
export const outboxWaiting = command<{ cap: number }, OutboxBacklog>('outbox_waiting', ['cap'])

/** `ledger.password_hash`, db/sql/session.sql */
export const passwordHash = read<{ user: string }, string | null>('password_hash', ['user'])

/** `ledger.password_set`, db/sql/session.sql */
export const passwordSet = command<
  { user: string; hash: string; except: string | null; at: string | Date },
  void
>('password_set', ['user', 'hash', 'except', 'at'])

/** `ledger.payment_create`, db/sql/payment.sql */
export const paymentCreate = command<
  {
    workspace: string
    id: string
    route: string
    key: string | null
    fingerprint: string
    amount: number
    currency: string
    customer: string | null
    metadata: Record<string, string>
    refs: RedemptionRef[]
    status: PaymentStatus
    awaitsConfirmation: boolean
    event: string
    at: string | Date | null
    expiresAt: string | Date | null
    storeCredit?: StoreCreditRequest | null
  },
  PaymentResult
>('payment_create', [
  'workspace',
  'id',
  'route',
  'key',
  'fingerprint',
  'amount',
  'currency',
  'customer',
  'metadata::jsonb',
  'refs::jsonb',
  'status',
  'awaits_confirmation',
  'event',
  'at',
  'expires_at',
  'store_credit?::jsonb',
])

/** `ledger.payment_earnings`, db/sql/explanation.sql */
export const paymentEarnings = read<{ workspace: string; payment: string }, PaymentEarnings | null>(
  'payment_earnings',
  ['workspace', 'payment'],
)

/** `ledger.payment_endpoint_secrets`, db/sql/payment.sql */
export const paymentEndpointSecrets = table<
  { provider: string; endpoint: string },
  {
    workspace: string
    livemode: boolean
    endpoint: string
    secret: string
    mapping: PaymentMapping | null
  }
>('payment_endpoint_secrets', ['provider', 'endpoint'])

/** `ledger.payment_move`, db/sql/payment.sql */
export const paymentMove = command<
  { workspace: string; id: string; status: PaymentStatus; event: string; at: string | Date | null },
  PaymentResult
>('payment_move', ['workspace', 'id', 'status', 'event', 'at'])

/** `ledger.payment_move_request`, db/sql/payment.sql */
export const paymentMoveRequest = command<
  {
    workspace: string
    id: string
    status: PaymentStatus
    event: string
    at: string | Date | null
    route: string
    key: string | null
    fingerprint: string
  },
  PaymentResult
>('payment_move_request', [
  'workspace',
  'id',
  'status',
  'event',
  'at',
  'route',
  'key',
  'fingerprint',
])

/** `ledger.payment_process`, db/sql/payment.sql */
export const paymentProcess = command<
  { workspace: string; id: string; at: string | Date },
  PaymentResult
>('payment_process', ['workspace', 'id', 'at'])

/** `ledger.payment_reconciliation`, db/sql/reconciliation.sql */
export const paymentReconciliation = read<
  { workspace: string; program: string; from: string | Date; to: string | Date; limit: number },
  PaymentReconciliation
>('payment_reconciliation', ['workspace', 'program', 'from', 'to', 'limit'])

/** `ledger.payment_replay_award`, db/sql/earning.sql */
export const paymentReplayAward = command<
  { workspace: string; id: string; at: string | Date },
  PaymentResult
>('payment_replay_award', ['workspace', 'id', 'at'])

/** `ledger.payment_secrets_find`, db/sql/payment.sql */
export const paymentSecretsFind = table<
  { provider: string },
  {
    workspace: string
    livemode: boolean
    endpoint: string
    secret: string
    mapping: PaymentMapping | null
  }
>('payment_secrets_find', ['provider'])

/** `ledger.payment_take_in`, db/sql/payment.sql */
export const paymentTakeIn = command<
  {
    workspace: string
    provider: string
    endpoint: string
    event: string
    type: string
    payload: Record<string, unknown>
    payment: ReportedPayment | null
    status: PaymentStatus | null
    at: string | Date | null
    more: ReportedMore
    content: readonly ContentPath[]
  },
  PaymentResult
>('payment_take_in', [
  'workspace',
  'provider',
  'endpoint',
  'event',
  'type',
  'payload::jsonb',
  'payment::jsonb',
  'status',
  'at',
  'more::jsonb',
  'content::jsonb',
])

/** `ledger.payments_overdue`, db/sql/payment.sql */
export const paymentsOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; payment: string; expires_at: Date }
>('payments_overdue', ['before', 'limit', 'skip?'])

/** `ledger.payments_unprocessed`, db/sql/payment.sql */
export const paymentsUnprocessed = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; payment: string; expires_at: Date }
>('payments_unprocessed', ['before', 'limit', 'skip?'])

/** `ledger.people_forget`, db/sql/attempt.sql */
export const peopleForget = command<{ at: string | Date }, number>('people_forget', ['at'])

/** `ledger.points_post`, db/sql/points.sql */
export const pointsPost = command<
  {
    workspace: string
    account: string
    type: 'earn' | 'adjust' | 'clawback'
    amount: number
    reason: string
    operation: string
    fingerprint: string
    at: string | Date
    expiresAt: string | Date | null
    batch: string | null
    source: Record<string, unknown> | null
    metadata: Record<string, string>
    allowNegative: boolean
    decimals?: number | null
  },
  PostResult
>('points_post', [
  'workspace',
  'account',
  'type',
  'amount',
  'reason',
  'operation',
  'fingerprint',
  'at',
  'expires_at',
  'batch',
  'source::jsonb',
  'metadata::jsonb',
  'allow_negative',
  'decimals?',
])

/** `ledger.points_post_batch`, db/sql/points.sql */
export const pointsPostBatch = command<
  {
    workspace: string
    operation: string
    fingerprint: string
    at: string | Date
    rows: BatchRow[]
  },
  BatchResult
>('points_post_batch', ['workspace', 'operation', 'fingerprint', 'at', 'rows::jsonb'])

/** `ledger.points_reverse`, db/sql/points.sql */
export const pointsReverse = command<
  {
    workspace: string
    ptx: string
    reason: string
    operation: string
    fingerprint: string
    metadata: Record<string, string>
    at: string | Date
  },
  ReverseResult
>('points_reverse', [
  'workspace',
  'ptx',
  'reason',
  'operation',
  'fingerprint',
  'metadata::jsonb',
  'at',
])

/** `ledger.reassessments_stalled`, db/sql/tier.sql */
export const reassessmentsStalled = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; program: string }
>('reassessments_stalled', ['before', 'limit', 'skip?'])

/** `ledger.redemption_apply`, db/sql/redemption.sql */
export const redemptionApply = command<
  { workspace: string; id: string; payment: string; at: string | Date },
  RedemptionResult
>('redemption_apply', ['workspace', 'id', 'payment', 'at'])

/** `ledger.redemption_confirm`, db/sql/redemption.sql */
export const redemptionConfirm = command<
  {
    workspace: string
    id: string
    operation: string
    fingerprint: string
    at: string | Date | null
  },
  RedemptionResult
>('redemption_confirm', ['workspace', 'id', 'operation', 'fingerprint', 'at'])

/** `ledger.redemption_create`, db/sql/redemption.sql */
export const redemptionCreate = command<
  {
    workspace: string
    id: string
    account: string
    reward: string
    variant: string | null
    quantity: number
    defaultHoldMinutes: number | bigint
    code: string
    fingerprint: string
    shipping: Record<string, unknown> | null
    metadata: Record<string, string>
    codes: SealedCode[] | null
    at: string | Date | null
    dueAt: string | Date | null
  },
  RedemptionResult
>('redemption_create', [
  'workspace',
  'id',
  'account',
  'reward',
  'variant',
  'quantity',
  'default_hold_minutes',
  'code',
  'fingerprint',
  'shipping::jsonb',
  'metadata::jsonb',
  'codes::jsonb',
  'at',
  'due_at',
])

/** `ledger.redemption_extend`, db/sql/redemption.sql */
export const redemptionExtend = command<
  {
    workspace: string
    id: string
    minutes: number
    operation: string
    fingerprint: string
    at: string | Date | null
  },
  RedemptionResult
>('redemption_extend', ['workspace', 'id', 'minutes', 'operation', 'fingerprint', 'at'])

/** `ledger.redemption_quote`, db/sql/redemption.sql */
export const redemptionQuote = read<
  {
    workspace: string
    account: string
    reward: string
    variant: string | null
    quantity: number
    defaultHoldMinutes: number | bigint
  },
  Quote
>('redemption_quote', [
  'workspace',
  'account',
  'reward',
  'variant',
  'quantity',
  'default_hold_minutes',
])

/** `ledger.redemption_release`, db/sql/redemption.sql */
export const redemptionRelease = command<
  {
    workspace: string
    id: string
    cause: 'cancel' | 'deadline' | 'payment'
    payment: string | null
    operation: string | null
    fingerprint: string | null
    reason: string
    at: string | Date | null
  },
  RedemptionResult
>('redemption_release', [
  'workspace',
  'id',
  'cause',
  'payment',
  'operation',
  'fingerprint',
  'reason',
  'at',
])

/** `ledger.redemption_reverse`, db/sql/redemption.sql */
export const redemptionReverse = command<
  {
    workspace: string
    id: string
    points: number | null
    quantity: number | null
    reason: string
    operation: string
    fingerprint: string
    at: string | Date | null
    refund: string | null
    refundEvent: string | null
  },
  RedemptionResult
>('redemption_reverse', [
  'workspace',
  'id',
  'points',
  'quantity',
  'reason',
  'operation',
  'fingerprint',
  'at',
  'refund',
  'refund_event',
])

/** `ledger.redemptions_overdue`, db/sql/redemption.sql */
export const redemptionsOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; id: string; account: string; reward: string; expires_at: Date }
>('redemptions_overdue', ['before', 'limit', 'skip?'])

/** `ledger.refund_create`, db/sql/refund.sql */
export const refundCreate = command<
  {
    workspace: string
    id: string
    payment: string
    amount: number | null
    reason: string | null
    returnRedemption: boolean
    metadata: Record<string, string>
    route: string
    key: string | null
    fingerprint: string
    event: string
    at: string | Date | null
    storeCredit?: number
  },
  RefundResult
>('refund_create', [
  'workspace',
  'id',
  'payment',
  'amount',
  'reason',
  'return_redemption',
  'metadata::jsonb',
  'route',
  'key',
  'fingerprint',
  'event',
  'at',
  'store_credit?',
])

/** `ledger.request_partitions_create`, db/sql/request.sql */
export const requestPartitionsCreate = command<{ at: string | Date }, number>(
  'request_partitions_create',
  ['at'],
)

/** `ledger.request_partitions_drop`, db/sql/request.sql */
export const requestPartitionsDrop = command<{ before: string | Date }, number>(
  'request_partitions_drop',
  ['before'],
)

/** `ledger.resignal_approvals`, db/sql/outbox.sql */
export const resignalApprovals = list<{ workspace: string; id: string; limit: number }, WaitingRow>(
  'resignal_approvals',
  ['workspace', 'id', 'limit'],
)

/** `ledger.resignal_bulks`, db/sql/outbox.sql */
export const resignalBulks = list<{ workspace: string; id: string; limit: number }, WaitingRow>(
  'resignal_bulks',
  ['workspace', 'id', 'limit'],
)

/** `ledger.resignal_endpoints`, db/sql/outbox.sql */
export const resignalEndpoints = list<{ workspace: string; id: string; limit: number }, WaitingRow>(
  'resignal_endpoints',
  ['workspace', 'id', 'limit'],
)

/** `ledger.resignal_erasures`, db/sql/outbox.sql */
export const resignalErasures = list<{ workspace: string; id: string; limit: number }, WaitingRow>(
  'resignal_erasures',
  ['workspace', 'id', 'limit'],
)

/** `ledger.resignal_expiries`, db/sql/outbox.sql */
export const resignalExpiries = list<{ workspace: string; id: string; limit: number }, WaitingRow>(
  'resignal_expiries',
  ['workspace', 'id', 'limit'],
)

/** `ledger.resignal_payments`, db/sql/outbox.sql */
export const resignalPayments = list<{ workspace: string; id: string; limit: number }, WaitingRow>(
  'resignal_payments',
  ['workspace', 'id', 'limit'],
)

/** `ledger.resignal_reassessments`, db/sql/outbox.sql */
export const resignalReassessments = list<
  { workspace: string; id: string; limit: number },
  WaitingRow
>('resignal_reassessments', ['workspace', 'id', 'limit'])

/** `ledger.resignal_redemptions`, db/sql/outbox.sql */
export const resignalRedemptions = list<
  { workspace: string; id: string; limit: number },
  WaitingRow
>('resignal_redemptions', ['workspace', 'id', 'limit'])

/** `ledger.resignal_tier_reviews`, db/sql/outbox.sql */
export const resignalTierReviews = list<
  { workspace: string; id: string; limit: number },
  WaitingRow
>('resignal_tier_reviews', ['workspace', 'id', 'limit'])

/** `ledger.session_find`, db/sql/session.sql */
export const sessionFind = table<
  { hash: string; workspace: string; idleSince: string | Date },
  {
    id: string
    user_id: string
    email: string
    name: string | null
    expires_at: Date
    role: Role | null
    membership: string | null
    livemode: boolean | null
  }
>('session_find', ['hash', 'workspace', 'idle_since'])

/** `ledger.session_start`, db/sql/session.sql */
export const sessionStart = table<
  {
    id: string
    user: string
    hash: string
    device: string
    userAgent: string | null
    at: string | Date
    expiresAt: string | Date
  },
  { email: string; name: string | null }
>('session_start', ['id', 'user', 'hash', 'device', 'user_agent', 'at', 'expires_at'])

/** `ledger.sessions_end`, db/sql/session.sql */
export const sessionsEnd = command<
  { user: string; id: string | null; except: string | null; at: string | Date },
  number
>('sessions_end', ['user', 'id', 'except', 'at'])

/** `ledger.sessions_of_user`, db/sql/session.sql */
export const sessionsOfUser = table<
  { user: string; idleSince: string | Date },
  { id: string; user_agent: string | null; created_at: Date; seen_at: Date; expires_at: Date }
>('sessions_of_user', ['user', 'idle_since'])

/** `ledger.sessions_seen`, db/sql/session.sql */
export const sessionsSeen = command<{ used: SessionUse[] }, void>('sessions_seen', ['used::jsonb'])

/** `ledger.settings_merge`, db/sql/workspace.sql */
export const settingsMerge = command<
  { workspace: string; change: SettingsChange; most: number; at: string | Date },
  MergedSettings
>('settings_merge', ['workspace', 'change::jsonb', 'most', 'at'])

/** `ledger.settings_read`, db/sql/workspace.sql */
export const settingsRead = read<{ workspace: string }, Settings>('settings_read', ['workspace'])

/** `ledger.sign_in_find`, db/sql/session.sql */
export const signInFind = table<
  { email: string; device: string },
  { user_id: string; password_hash: string | null; knows_device: boolean }
>('sign_in_find', ['email', 'device'])

/** `ledger.team_member_by_email`, db/sql/team_member.sql */
export const teamMemberByEmail = read<{ email: string }, string | null>('team_member_by_email', [
  'email',
])

/** `ledger.team_member_ensure`, db/sql/team_member.sql */
export const teamMemberEnsure = command<{ id: string; email: string; at: string | Date }, string>(
  'team_member_ensure',
  ['id', 'email', 'at'],
)

/** `ledger.team_member_is_only_of`, db/sql/team_member.sql */
export const teamMemberIsOnlyOf = read<{ user: string; workspace: string }, boolean>(
  'team_member_is_only_of',
  ['user', 'workspace'],
)

/** `ledger.team_member_rename`, db/sql/session.sql */
export const teamMemberRename = command<{ user: string; name: string | null }, void>(
  'team_member_rename',
  ['user', 'name'],
)

/** `ledger.tier_reassess`, db/sql/tier.sql */
export const tierReassess = command<
  { workspace: string; account: string; at: string | Date },
  boolean
>('tier_reassess', ['workspace', 'account', 'at'])

/** `ledger.tier_reassess_note`, db/sql/tier.sql */
export const tierReassessNote = command<
  {
    workspace: string
    program: string
    revision: number
    through: string | null
    assessed: number
    ended: boolean
    at: string | Date
  },
  boolean
>('tier_reassess_note', ['workspace', 'program', 'revision', 'through', 'assessed', 'ended', 'at'])

/** `ledger.tier_reassess_outbox`, db/sql/tier.sql */
export const tierReassessOutbox = command<{ workspace: string; program: string }, void>(
  'tier_reassess_outbox',
  ['workspace', 'program'],
)

/** `ledger.tier_reassess_page`, db/sql/tier.sql */
export const tierReassessPage = command<
  { workspace: string; program: string; most: number },
  ReassessmentPage
>('tier_reassess_page', ['workspace', 'program', 'most'])

/** `ledger.tier_reassess_start`, db/sql/tier.sql */
export const tierReassessStart = command<
  { workspace: string; program: string; at: string | Date },
  void
>('tier_reassess_start', ['workspace', 'program', 'at'])

/** `ledger.tier_review`, db/sql/tier.sql */
export const tierReview = command<
  { workspace: string; account: string; at: string | Date; resume?: boolean },
  TierReviewResult
>('tier_review', ['workspace', 'account', 'at', 'resume?'])

/** `ledger.tier_reviews_overdue`, db/sql/tier.sql */
export const tierReviewsOverdue = table<
  { before: string | Date; limit: number; skip?: number },
  { workspace: string; id: string }
>('tier_reviews_overdue', ['before', 'limit', 'skip?'])

/** `ledger.tier_set`, db/sql/tier.sql */
export const tierSet = command<
  {
    workspace: string
    account: string
    tier: string | null
    note: string | null
    route: string
    key: string | null
    fingerprint: string
    at: string | Date
  },
  AccountAnswer
>('tier_set', ['workspace', 'account', 'tier', 'note', 'route', 'key', 'fingerprint', 'at'])

/** `ledger.tier_standing`, db/sql/tier.sql */
export const tierStanding = table<
  { workspace: string; accounts: readonly string[]; at?: string | Date },
  {
    account: string
    qualify_on: QualifyOn
    qualifying: number | null
    next_tier: NextTier | null
    next_threshold: number | null
    lapses_at: Date | null
  }
>('tier_standing', ['workspace', 'accounts', 'at?'])

/** `ledger.token_create`, db/sql/team_member.sql */
export const tokenCreate = command<
  {
    hash: string
    kind: TokenKind
    user: string
    workspace: string | null
    membership: string | null
    at: string | Date
    expiresAt: string | Date
  },
  void
>('token_create', ['hash', 'kind', 'user', 'workspace', 'membership', 'at', 'expires_at'])

/** `ledger.token_find`, db/sql/team_member.sql */
export const tokenFind = table<
  { hash: string; at: string | Date },
  { user_id: string; kind: TokenKind; password_hash: string | null }
>('token_find', ['hash', 'at'])

/** `ledger.token_redeem`, db/sql/team_member.sql */
export const tokenRedeem = command<
  { hash: string; passwordHash: string | null; name: string | null; at: string | Date },
  string | null
>('token_redeem', ['hash', 'password_hash', 'name', 'at'])

/** `ledger.waiting_workflows`, db/sql/outbox.sql */
export const waitingWorkflows = table<
  Record<string, never>,
  { workspace: string; workflow_id: string; workflow_type: string }
>('waiting_workflows', [])

/** `ledger.webhook_due`, db/sql/webhook.sql */
export const webhookDue = read<{ workspace: string; asked: EndpointUnderway[] }, string[]>(
  'webhook_due',
  ['workspace', 'asked::jsonb'],
)

/** `ledger.webhook_next_due`, db/sql/webhook.sql */
export const webhookNextDue = command<{ workspace: string; endpoint: string }, NextDelivery>(
  'webhook_next_due',
  ['workspace', 'endpoint'],
)

/** `ledger.webhook_replay`, db/sql/webhook.sql */
export const webhookReplay = command<
  {
    workspace: string
    endpoint: string
    operation: string
    events: readonly string[] | null
    from: string | Date
    to: string | Date
  },
  number
>('webhook_replay', ['workspace', 'endpoint', 'operation', 'events', 'from', 'to'])

/** `ledger.webhook_rest`, db/sql/webhook.sql */
export const webhookRest = command<{ workspace: string; endpoint: string }, void>('webhook_rest', [
  'workspace',
  'endpoint',
])

/** `ledger.webhook_settle`, db/sql/webhook.sql */
export const webhookSettle = command<
  {
    workspace: string
    endpoint: string
    delivery: string
    attempt: number
    try: DeliveryAttempt
    ok: boolean
    gone: boolean
    retryMs: number | null
    failingMs: number
  },
  DeliverySettlement
>('webhook_settle', [
  'workspace',
  'endpoint',
  'delivery',
  'attempt',
  'try::jsonb',
  'ok',
  'gone',
  'retry_ms',
  'failing_ms',
])

/** `ledger.webhook_take`, db/sql/webhook.sql */
export const webhookTake = command<
  { workspace: string; endpoint: string; taken: readonly string[]; limit: number; busyMs: number },
  DeliveryBatch
>('webhook_take', ['workspace', 'endpoint', 'taken', 'limit', 'busy_ms'])

/** `ledger.webhook_test`, db/sql/webhook.sql */
export const webhookTest = command<
  { workspace: string; endpoint: string; event: string },
  string | null
>('webhook_test', ['workspace', 'endpoint', 'event'])

/** `ledger.webhook_waiting`, db/sql/webhook.sql */
export const webhookWaiting = read<{ workspace: string }, WaitingEndpoints>('webhook_waiting', [
  'workspace',
])
