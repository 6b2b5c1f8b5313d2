/** What needs a person. */
export const ATTENTION_KINDS = [
  'approval_waiting',
  'code_pool_low',
  'discount_refused',
  'fulfillment_overdue',
  'late_payment',
  'payment_event_conflict',
  'rows_refused',
  'webhook_endpoint_disabled',
  'webhook_endpoint_failing',
  'workflow_refused',
] as const
export type AttentionKind = (typeof ATTENTION_KINDS)[number]

export const ATTENTION_STATUSES = ['open', 'snoozed', 'settled'] as const
export type AttentionStatus = (typeof ATTENTION_STATUSES)[number]

const RESOLVE = 'POST /v1/attention/{item}/resolve'

/** The routes by which a person settles each: `{id}` is its object's, `{item}` its own. */
export const SETTLED_BY: Readonly<Record<AttentionKind, readonly string[]>> = {
  approval_waiting: ['POST /v1/approvals/{id}/approve', 'POST /v1/approvals/{id}/decline'],
  code_pool_low: ['POST /v1/loyalty/code_pools/{id}/codes'],
  discount_refused: ['POST /v1/refunds', RESOLVE],
  fulfillment_overdue: [
    'POST /v1/loyalty/redemptions/{id}/fulfill',
    'POST /v1/loyalty/redemptions/{id}/reverse',
  ],
  late_payment: ['POST /v1/loyalty/transactions', 'POST /v1/refunds', RESOLVE],
  payment_event_conflict: [RESOLVE],
  rows_refused: ['POST /v1/loyalty/imports', RESOLVE],
  webhook_endpoint_disabled: [
    'PATCH /v1/webhook_endpoints/{id}',
    'DELETE /v1/webhook_endpoints/{id}',
  ],
  webhook_endpoint_failing: [
    'POST /v1/webhook_endpoints/{id}/test',
    'PATCH /v1/webhook_endpoints/{id}',
  ],
  workflow_refused: [RESOLVE],
}

type AttentionTimes = { readonly settledAt: Date | null; readonly snoozedUntil: Date | null }

/** A snooze is over by itself at its time. */
export function attentionStatus(
  { settledAt, snoozedUntil }: AttentionTimes,
  now: Date,
): AttentionStatus {
  if (settledAt !== null) return 'settled'
  return snoozedUntil !== null && snoozedUntil > now ? 'snoozed' : 'open'
}
