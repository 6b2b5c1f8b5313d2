import { z } from 'zod'
import type {
  EarningEntry,
  PaymentEarnings as Earnings,
  EarningPreview as Preview,
} from '../../db/results/explanation.ts'
import { EARNING_OUTCOMES, EARNING_REASONS, EARNING_TRIGGERS } from '../../domain/earning-rule.ts'
import { PAYMENT_AWARDS, REFUND_KINDS, REFUND_STATUSES } from '../../domain/payment.ts'
import { pointsOf, ROUNDINGS } from '../../domain/points.ts'
import { amountMinor, currencyLower, points } from './amounts.ts'
import { shownAward, shownConditions } from './earning-rules.ts'
import { customerId, id } from './ids.ts'
import { metadata } from './text.ts'
import { bodyTime, time } from './times.ts'

const Terms = z.object({
  name: z.string().nullable(),
  trigger: z.enum(EARNING_TRIGGERS),
  award: shownAward,
  conditions: shownConditions,
  pendingDays: z.number(),
})

const Cap = z.object({
  points,
  window: z.string(),
  before: points.nullable().meta({ description: 'What it left before this; null: not known.' }),
  after: points.nullable(),
})

/** What one rule made of something for one account, or why it made nothing. */
const decision = {
  program: id('prog'),
  account: id('loy').nullable().meta({
    description: 'Null where the program has no member to earn it, or would only enrol one.',
  }),
  rule: id('erl'),
  terms: Terms.meta({ description: 'The rule as it was.' }),
  matched: z.boolean().meta({ description: 'Whether the rule spoke of it at all.' }),
  reason: z
    .enum(EARNING_REASONS)
    .nullable()
    .meta({ description: 'The first reason why nothing was earned.' }),
  outcome: z.enum(EARNING_OUTCOMES),
  amount: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'What it is reckoned on, in minor units.' }),
  currency: z.string().nullable(),
  rate: z.object({ points: z.number(), amount: z.number().int() }).nullable().meta({
    description:
      'Points for so many minor units; null where the award is fixed, or none of this currency.',
  }),
  multiplier: z.number(),
  tier: z.string().nullable(),
  tier_multiplier: z.number().nullable(),
  rounding: z
    .enum(ROUNDINGS)
    .nullable()
    .meta({ description: 'Once, at the end; null: not known.' }),
  points_before_cap: points.nullable(),
  cap: Cap.nullable(),
  points,
  pending_until: time.nullable(),
} as const

const RefundShare = z.object({
  refund: z.string(),
  kind: z.enum(REFUND_KINDS),
  status: z.enum(REFUND_STATUSES),
  amount: z.number().int().meta({ description: 'Of the refund, in minor units.' }),
  points: points.meta({ description: 'Its share, as it stands: the sum of the next four.' }),
  taken: points.meta({ description: 'From the member’s points.' }),
  shrunk: points.meta({ description: 'From what was still pending.' }),
  expired: points.meta({ description: 'Gone before, and not taken again.' }),
  forgiven: points.meta({ description: 'Where the program does not go below zero.' }),
})

const EarningExplanation = z
  .object({
    ...decision,
    source: z
      .string()
      .nullable()
      .meta({ description: 'The payment, or the invoice that it paid.' }),
    refunds: z.array(RefundShare),
    points_left: points.meta({ description: 'Of `points`, less what refunds took back.' }),
    transactions: z.array(id('ptx')).meta({ description: 'Oldest first.' }),
  })
  .meta({
    id: 'EarningExplanation',
    description: 'What a rule made of a payment, or why it made nothing.',
  })

const EarningDecision = z
  .object(decision)
  .meta({ id: 'EarningDecision', description: 'What a rule would make of a payment, or why not.' })

const rulesFrom = time.nullable().meta({
  description:
    'Since when rules are kept as they were, where this is about a time before: rules that made nothing are left out then. Null: all are known.',
})

/** Why a payment earned what it did. */
export const PaymentEarnings = z
  .object({
    object: z.literal('payment_earnings'),
    payment: z.string(),
    award: z.enum(PAYMENT_AWARDS).nullable().meta({
      description:
        '`unnamed`: it names no member; `no_member`: nobody was one when it completed; `no_rule`: none spoke of it. Null until it has completed.',
    }),
    judged_at: time.nullable().meta({ description: 'By the rules of then.' }),
    rules_from: rulesFrom,
    data: z.array(EarningExplanation),
    livemode: z.boolean(),
  })
  .meta({ id: 'PaymentEarnings', description: 'What a payment earned, rule by rule, and why.' })

/** What a payment would be. */
export const NewEarningPreview = z
  .strictObject({
    account: id('loy').optional(),
    customer: customerId.optional().meta({
      description:
        'Whose members are found as a payment finds them, and enrolled where a program would.',
    }),
    amount: amountMinor.meta({ description: 'As it would be charged, in minor units.' }),
    currency: currencyLower,
    metadata: metadata
      .default({})
      .meta({ description: 'Of the payment; `loyalty_account` names a member.' }),
    at: bodyTime.optional().meta({
      description:
        'When it would complete; by the rules, tiers and caps of then. Not in the future.',
    }),
  })
  .refine(({ account, customer }) => account === undefined || customer === undefined, {
    error: 'give account or customer, not both',
    path: ['customer'],
  })
  .meta({ id: 'NewEarningPreview' })

/** What a payment would earn. */
export const EarningPreview = z
  .object({
    object: z.literal('earning_preview'),
    at: time,
    rules_from: rulesFrom,
    data: z.array(EarningDecision),
    livemode: z.boolean(),
  })
  .meta({
    id: 'EarningPreview',
    description: 'What a payment would earn, rule by rule; nothing is written.',
  })

export function presentPaymentEarnings(
  payment: string,
  { award, judged_at, rules_from, entries }: Earnings,
  livemode: boolean,
): z.input<typeof PaymentEarnings> {
  return {
    object: 'payment_earnings',
    payment,
    award,
    judged_at,
    rules_from,
    data: entries.map((entry) => {
      const shown = (units: number) => pointsOf(units, entry.decimals)
      const shares = entry.refunds ?? []
      return {
        ...presentDecision(entry),
        source: entry.source,
        refunds: shares.map(({ taken, shrunk, expired, forgiven, ...refund }) => ({
          ...refund,
          points: shown(taken + shrunk + expired + forgiven),
          taken: shown(taken),
          shrunk: shown(shrunk),
          expired: shown(expired),
          forgiven: shown(forgiven),
        })),
        points_left: shown(entry.points - (entry.points === 0 ? 0 : entry.clawed)),
        transactions: entry.transactions ?? [],
      }
    }),
    livemode,
  }
}

export const presentPreview = (
  { at, rules_from, entries }: Preview,
  livemode: boolean,
): z.input<typeof EarningPreview> => ({
  object: 'earning_preview',
  at,
  rules_from,
  data: entries.map(presentDecision),
  livemode,
})

function presentDecision(entry: EarningEntry): z.input<typeof EarningDecision> {
  const { terms, decimals, uncapped, cap_left } = entry
  const { name, trigger, award, conditions, pendingDays, cap } = terms
  const shown = (units: number) => pointsOf(units, decimals)
  return {
    program: entry.program,
    account: entry.account,
    rule: entry.rule,
    terms: { name, trigger, award, conditions, pendingDays },
    matched: entry.matched,
    reason: entry.reason,
    outcome: entry.outcome,
    amount: entry.amount,
    currency: entry.currency,
    rate: rateOf(entry),
    multiplier: terms.multiplier,
    tier: entry.tier,
    tier_multiplier: terms.tier_multiplier,
    rounding: entry.rounding,
    points_before_cap: uncapped === null ? null : shown(uncapped),
    cap: cap && {
      points: cap.points,
      window: cap.window,
      before: cap_left === null ? null : shown(cap_left),
      after: cap_left === null ? null : shown(cap_left - entry.points),
    },
    points: shown(entry.points),
    pending_until: entry.matures_at,
  }
}

function rateOf({ terms: { award }, currency }: EarningEntry) {
  if ('fixed' in award || currency === null) return null
  if ('per_currency' in award) return award.per_currency[currency] ?? null
  const { points, amount, currency: of } = award.per_amount
  return of === currency ? { points, amount } : null
}
