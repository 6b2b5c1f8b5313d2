/** What earns points. */
export const EARNING_TRIGGERS = [
  'payment.completed',
  'loyalty.account.created',
  'subscription.created',
  'invoice.paid',
  'referral.converted',
] as const
export type EarningTrigger = (typeof EARNING_TRIGGERS)[number]

/** What became of an earning: `none` is an award of nothing. */
export const EARNING_OUTCOMES = ['earned', 'pending', 'none'] as const
export type EarningOutcome = (typeof EARNING_OUTCOMES)[number]

/** Why a rule gave nothing, in the order in which the ledger looks. */
export const EARNING_REASONS = [
  'no_member',
  'rule_inactive',
  'not_started',
  'ended',
  'below_min_amount',
  'other_currency',
  'metadata_differs',
  'currency_not_awarded',
  'left_to_invoice',
  'account_closed',
  'nothing_left',
  'cap_reached',
  'refunded',
] as const
export type EarningReason = (typeof EARNING_REASONS)[number]

/** In which window of the program's time zone a rule's cap counts. */
export const CAP_WINDOWS = ['day', 'week', 'month', 'lifetime'] as const
type CapWindow = (typeof CAP_WINDOWS)[number]

type Rate = { readonly points: number; readonly amount: number }

type EarningRuleFacts = {
  readonly id: string
  readonly program: string
  readonly name: string | null
  readonly trigger: EarningTrigger
  readonly award:
    | { readonly per_amount: Rate & { readonly currency: string } }
    | { readonly fixed: number }
    | { readonly per_currency: Record<string, Rate> }
  readonly multiplier: number
  readonly cap: {
    readonly points: number
    readonly window: CapWindow
  } | null
  readonly conditions: {
    readonly min_amount?: number
    readonly currency?: string
    readonly metadata?: Record<string, string>
  }
  readonly pendingDays: number
  readonly startsAt: Date | null
  readonly endsAt: Date | null
  readonly active: boolean
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** A rule as the API shows it: points as people write them, money in minor units. */
export function earningRuleObject(row: EarningRuleFacts, livemode: boolean) {
  return {
    id: row.id,
    object: 'earning_rule' as const,
    program: row.program,
    name: row.name,
    trigger: row.trigger,
    award: row.award,
    multiplier: row.multiplier,
    cap: row.cap,
    conditions: row.conditions,
    pendingDays: row.pendingDays,
    starts_at: row.startsAt?.toISOString() ?? null,
    ends_at: row.endsAt?.toISOString() ?? null,
    active: row.active,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}
