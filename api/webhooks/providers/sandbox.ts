import { z } from 'zod'
import type { PaymentStatus, ReportedMore, ReportedPayment } from '../../../db/results/payment.ts'
import { amountMinor, currencyLower } from '../../schemas/amounts.ts'
import { customerId, id } from '../../schemas/ids.ts'
import { text } from '../../schemas/text.ts'
import { parse } from '../../server/endpoint.ts'
import {
  isMadeBy,
  jsonOf,
  looseMetadata,
  type Provider,
  type ProviderEvent,
  providerTime,
  readSignature,
  refundStatus,
  reportedDisputes,
  reportedRefund,
  type Signer,
  type Verification,
} from '../provider.ts'

const TOLERANCE_S = 300 // a signature older or newer than this may be a replay
const LONGEST_ID = 255
const LONGEST_TYPE = 100
const MOST_REFS = 100
const MOST_REFUNDS = 500
const LATEST_UNIX = 99_999_999_999 // beyond it a time is in milliseconds, or a mistake

const CONTENT = [['type'], ['created'], ['data']]

/** The platform's own form. Unknown fields are accepted here: a provider adds some at any time. */
export const SandboxEvent = z
  .looseObject({
    id: text(LONGEST_ID),
    type: text(LONGEST_TYPE).meta({ example: 'payment.completed' }),
    created: z.number().int().max(LATEST_UNIX).optional(),
    data: z.looseObject({}),
  })
  .meta({ id: 'PaymentEvent', description: '`data` is the whole payment, or a refund.' })

const ref = z.union([z.looseObject({ redemption: id('rdm') }), z.looseObject({ code: text(60) })])

const refundId = text(LONGEST_ID)
const refundFields = {
  id: refundId,
  amount: amountMinor,
  status: z.string().max(LONGEST_TYPE).nullish(),
  reason: z.string().max(LONGEST_TYPE).nullish(),
  return_redemption: z.boolean().nullish(),
}
const RefundEntry = z.looseObject(refundFields)

const ReportedData = z
  .looseObject({
    id: id('pay'),
    amount: amountMinor,
    amount_charged: amountMinor.nullish(),
    currency: currencyLower,
    customer: customerId.nullish(),
    metadata: looseMetadata,
    invoice: text(LONGEST_ID).nullish(),
    discounts: z.array(ref).max(MOST_REFS).nullish(),
    redemptions: z.array(id('rdm')).max(MOST_REFS).nullish(),
    refunds: z.array(RefundEntry).max(MOST_REFUNDS).nullish(),
    disputes: z.array(RefundEntry).max(MOST_REFUNDS).nullish(),
    completed_at: z.string().nullish(),
    created_at: z.string().nullish(),
  })
  .refine(({ amount, amount_charged }) => (amount_charged ?? 0) <= amount, {
    error: 'cannot be more than amount',
    path: ['amount_charged'],
  })

/** A refund or dispute by itself: the payment it belongs to may not be known yet. */
const RefundData = z.looseObject({
  ...refundFields,
  amount: amountMinor.nullish(),
  payment: id('pay'),
})

const TriggerData = z.looseObject({
  id: text(LONGEST_ID),
  customer: customerId.nullish(),
  account: id('loy').nullish(),
  amount: amountMinor.nullish(),
  currency: currencyLower.nullish(),
  payment: id('pay').nullish(),
  metadata: looseMetadata,
})

/** What a type says of the payment; a refunded payment was completed. */
const STATUS_OF: ReadonlyMap<string, PaymentStatus> = new Map([
  ['payment.created', 'requires_payment'],
  ['payment.processing', 'processing'],
  ['payment.completed', 'completed'],
  ['payment.succeeded', 'completed'],
  ['payment.refunded', 'completed'],
  ['payment.failed', 'failed'],
  ['payment.canceled', 'canceled'],
  ['payment.expired', 'expired'],
])

const TRIGGERS = new Map([
  ['subscription.created', 'subscription'],
  ['invoice.paid', 'invoice'],
  ['referral.converted', 'referral'],
] as const)

/** The sandbox, and every system that speaks the platform's own form. */
export const sandbox: Provider = {
  verify: <Secret extends Signer>(given: Verification<Secret>) => {
    const signature = readSignature(given.header('x-vinr-signature'))
    if (signature === undefined) return undefined
    if (Math.abs(given.nowMs / 1_000 - signature.timestamp) > TOLERANCE_S) return undefined
    return given.secrets.find(({ secret }) => isMadeBy(secret, signature, given.body))
  },

  read: (body): ProviderEvent => {
    const event = parse<typeof SandboxEvent>(SandboxEvent, jsonOf(body))
    const { id, type, data } = event
    const said = { payment: null, payload: event, content: CONTENT }
    const reported = { id, type, status: STATUS_OF.get(type) ?? null, ...said }
    if (type.startsWith('payment.')) return { ...reported, ...paymentIn(type, data, event.created) }
    if (type.startsWith('refund.') || type.startsWith('dispute.')) {
      return { ...reported, more: refundIn(type, data) }
    }
    const trigger = [...TRIGGERS.keys()].find((name) => name === type)
    if (trigger !== undefined) return { ...reported, more: triggerIn(trigger, data, event.created) }
    return reported
  },
}

function paymentIn(type: string, data: unknown, created: number | undefined) {
  const read = parse<typeof Enveloped>(Enveloped, { data }).data
  const refunds = [
    ...(read.refunds ?? []).map(reportedRefund('refund')),
    ...reportedDisputes(read.disputes ?? []),
  ]
  // a refund's own time is long after the payment's
  const made =
    type === 'payment.refunded' ? providerTime(read.created_at, 'data.created_at') : undefined
  const more: ReportedMore = {
    completed_at:
      providerTime(read.completed_at, 'data.completed_at') ?? made ?? providerTime(created),
    ...(refunds.length > 0 && { refunds }),
  }
  return { payment: reportedOf(read), more }
}

function reportedOf(read: z.infer<typeof ReportedData>): ReportedPayment {
  const { id, amount, currency, customer = null, amount_charged } = read
  const refs = [
    ...(read.discounts ?? []).map((entry) =>
      'redemption' in entry ? { redemption: String(entry.redemption) } : { code: entry.code },
    ),
    ...(read.redemptions ?? []).map((redemption) => ({ redemption })),
  ]
  return {
    id,
    amount,
    currency,
    customer,
    refs,
    amount_charged: amount_charged ?? undefined,
    metadata: read.metadata ?? undefined,
    invoice: read.invoice ?? null,
  }
}

function refundIn(type: string, data: unknown): ReportedMore | undefined {
  if (!('payment' in Object(data))) return undefined // of what, it does not say: kept, and nothing follows
  const read = parse<typeof EnvelopedRefund>(EnvelopedRefund, { data }).data
  const [noun, verb] = type.split('.')
  const kind = noun === 'dispute' ? 'dispute' : 'refund'
  const status = read.status ?? (kind === 'refund' ? verb : undefined)
  // a failure needs no amount: it ends the refund that it names
  const { amount = refundStatus(status) === 'failed' ? 0 : null } = read
  if (amount === null) return undefined
  const line = { ...read, amount, status }
  const refunds = kind === 'dispute' ? reportedDisputes([line]) : [reportedRefund(kind)(line)]
  return { subject: read.payment, refunds }
}

type Trigger = 'subscription.created' | 'invoice.paid' | 'referral.converted'

function triggerIn(trigger: Trigger, data: unknown, created: number | undefined): ReportedMore {
  const read = parse<typeof EnvelopedTrigger>(EnvelopedTrigger, { data }).data
  const pinned = read.account ?? undefined
  return {
    subject: read.id,
    facts: {
      trigger,
      noun: TRIGGERS.get(trigger) ?? trigger,
      customer: read.customer ?? null,
      metadata: { ...read.metadata, ...(pinned !== undefined && { loyalty_account: pinned }) },
      amount: read.amount ?? null,
      currency: read.currency ?? null,
      payment: read.payment ?? null,
      at: providerTime(created),
    },
  }
}

// So that what is wrong is named as the sender knows it: data.amount.
const Enveloped = z.looseObject({ data: ReportedData })
const EnvelopedRefund = z.looseObject({ data: RefundData })
const EnvelopedTrigger = z.looseObject({ data: TriggerData })
