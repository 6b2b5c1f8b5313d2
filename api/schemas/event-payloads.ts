import { z } from 'zod'
import { Account } from './accounts.ts'
import { Approval } from './approvals.ts'
import { Event } from './events.ts'
import { id } from './ids.ts'
import { Liability } from './liability.ts'
import { Payment } from './payments.ts'
import { Redemption } from './redemptions.ts'
import { time } from './times.ts'
import { Transaction } from './transactions.ts'
import { WebhookEndpoint } from './webhook-endpoints.ts'

/** Points of a member that expire within the program's `warnDaysBefore`. */
const ExpiringPoints = z
  .object({
    account: id('loy'),
    program: id('prog'),
    customer: z.string().nullable(),
    points: z.number(),
    expires_at: time,
  })
  .meta({ id: 'ExpiringPoints' })

const IssuedCredit = z
  .object({
    id: id('crd'),
    object: z.literal('store_credit'),
    account: id('loy'),
    customer: z.string().nullable(),
    redemption: id('rdm'),
    amount: z.number().int().meta({ description: 'Minor units.' }),
    currency: z.string(),
    expires_at: time.nullable(),
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'IssuedCredit' })

const LowCodePool = z
  .object({
    id: id('cpl'),
    object: z.literal('code_pool'),
    name: z.string(),
    available: z.number().int(),
    low_at: z.number().int(),
  })
  .meta({ id: 'LowCodePool' })

const LiabilitySnapshot = z
  .object({ program: id('prog'), ...Liability.shape })
  .meta({ id: 'LiabilitySnapshot', description: 'What a program owed as its day (UTC) ended.' })

type Fact = {
  readonly summary: string
  readonly data: z.ZodObject
  /** Its `data.previous` holds what an update changed. */
  readonly updates?: true
}

const paymentFact = (summary: string): Fact => ({ summary, data: Payment })

/**
 * Every type of event that the platform itself writes, with what its `data` is. Besides these there are the
 * types that callers define, and those of payments that a provider names otherwise, whose data is a payment.
 */
export const EVENT_PAYLOADS: Readonly<Record<string, Fact>> = {
  'loyalty.account.created': { summary: 'A member was enrolled', data: Account },
  'loyalty.account.updated': { summary: 'A member was changed', data: Account, updates: true },
  'loyalty.account.closed': { summary: 'A member was closed', data: Account, updates: true },
  'loyalty.account.reopened': { summary: 'A member was reopened', data: Account, updates: true },
  'loyalty.account.merged': {
    summary: 'A member was merged into another',
    data: Account,
    updates: true,
  },
  'loyalty.points.earned': { summary: 'Points were earned or given', data: Transaction },
  'loyalty.points.spent': { summary: 'Points were spent or taken', data: Transaction },
  'loyalty.points.expired': { summary: 'Points expired', data: Transaction },
  'loyalty.points.expiring': { summary: 'Points will expire soon', data: ExpiringPoints },
  'loyalty.points.clawed_back': {
    summary: 'Points were taken back for a refund, or given back as one failed',
    data: Transaction,
  },
  'loyalty.points.reversed': {
    summary: 'A movement of points was undone, or a hold released',
    data: Transaction,
  },
  'loyalty.redemption.created': { summary: 'A reward was redeemed', data: Redemption },
  'loyalty.redemption.applied': {
    summary: 'A redemption was used on a payment that completed',
    data: Redemption,
  },
  'loyalty.redemption.released': {
    summary: 'A redemption ended unused; its points are back',
    data: Redemption,
  },
  'loyalty.redemption.fulfilled': { summary: 'A redeemed item was sent', data: Redemption },
  'loyalty.redemption.fulfillment_overdue': {
    summary: 'A redeemed item is overdue',
    data: Redemption,
  },
  'loyalty.redemption.reversed': { summary: 'A redemption was undone', data: Redemption },
  'loyalty.redemption.late_payment': {
    summary: 'A payment was charged with the discount of a redemption that had ended',
    data: Redemption,
  },
  'loyalty.tier.upgraded': { summary: 'A member rose a tier', data: Account, updates: true },
  'loyalty.tier.downgraded': { summary: 'A member fell a tier', data: Account, updates: true },
  'loyalty.code_pool.low': { summary: 'Few codes of a pool are left', data: LowCodePool },
  'payment.created': paymentFact('A payment was begun'),
  'payment.processing': paymentFact('A payment is being processed'),
  'payment.completed': paymentFact('A payment was completed'),
  'payment.failed': paymentFact('A payment failed'),
  'payment.canceled': paymentFact('A payment was canceled'),
  'payment.expired': paymentFact('A payment was not made in time'),
  'payment.refunded': paymentFact('A payment was refunded, wholly or in part'),
  'payment.disputed': paymentFact('A payment is disputed'),
  'approval.reminder': {
    summary: 'An approval still waits for somebody, half-way to its end',
    data: Approval,
  },
  'customer.credit.issued': { summary: 'Store credit was issued', data: IssuedCredit },
  'program.liability.snapshot': {
    summary: 'What a program owes, each day',
    data: LiabilitySnapshot,
  },
  'webhook_endpoint.disabled': {
    summary: 'Another endpoint was disabled, because it failed for long',
    data: WebhookEndpoint,
  },
  'webhook_endpoint.test': { summary: 'A test of this endpoint', data: WebhookEndpoint },
}

/** An event of this type as it is sent. */
export function eventOfType(type: string, { data, updates }: Fact) {
  const previous = z.object({
    previous: z.looseObject({}).meta({ description: 'What the update changed, as it was before.' }),
  })
  return z.object({
    ...Event.shape,
    type: z.literal(type),
    data: updates === true ? z.intersection(data, previous) : data,
  })
}
