import type { ReportedRefund } from '../../db/payments.ts'

type TheirRefund = {
  readonly id: string
  readonly amount: number
  readonly status?: string | null | undefined
  readonly reason?: string | null | undefined
  readonly return_redemption?: boolean | null | undefined
}

const FAILED = new Set(['failed', 'canceled', 'won', 'reversed', 'warning_closed'])
const INQUIRIES = new Set(['warning_needs_response', 'warning_under_review'])
const PENDING = new Set(['pending', 'requires_action'])

/** Whether a refund (or a dispute, which fails when it is won) stands. */
export function refundStatus(word: string | null | undefined): ReportedRefund['status'] {
  if (word === null || word === undefined) return 'succeeded'
  if (FAILED.has(word)) return 'failed'
  return PENDING.has(word) ? 'pending' : 'succeeded'
}

/** The disputes of these that have taken money: what is only an inquiry yet moves none. */
export const reportedDisputes = (disputes: readonly TheirRefund[]): ReportedRefund[] =>
  disputes.filter(({ status }) => !INQUIRIES.has(status ?? '')).map(reportedRefund('dispute'))

/** A refund in a provider's words as we report it. */
export const reportedRefund =
  (kind: 'refund' | 'dispute') =>
  ({ id, amount, status, reason, return_redemption }: TheirRefund): ReportedRefund => ({
    id,
    amount,
    kind,
    status: refundStatus(status),
    ...(typeof reason === 'string' && { reason }),
    ...(return_redemption === true && { return_redemption }),
  })
