import { z } from 'zod'
import type { PaymentStatus, ReportedPayment } from '../../../db/payments.ts'
import { refuse } from '../../../domain/refusal.ts'
import { parse } from '../../endpoint.ts'
import { customerId, id } from '../../values/id.ts'
import { amountMinor, currencyLower } from '../../values/money.ts'
import { text } from '../../values/text.ts'
import type { Provider, ProviderEvent, Verification } from '../provider.ts'
import { isMadeBy, readSignature } from '../signature.ts'

const TOLERANCE_S = 300 // a signature older or newer than this may be a replay
const LONGEST_ID = 255
const LONGEST_TYPE = 100
const MOST_REFS = 100

/** The platform's own form. Unknown fields are accepted here: a provider adds some at any time. */
export const SandboxEvent = z
  .looseObject({
    id: text(LONGEST_ID),
    type: text(LONGEST_TYPE).meta({ example: 'payment.completed' }),
    created: z.number().int().optional(),
    data: z.looseObject({}),
  })
  .meta({ id: 'PaymentEvent', description: '`data` is the whole payment, or a refund.' })

const metadata = z.record(z.string(), z.coerce.string()).nullish()
const ref = z.union([z.looseObject({ redemption: id('rdm') }), z.looseObject({ code: text(60) })])

const ReportedData = z
  .looseObject({
    id: id('pay'),
    amount: amountMinor,
    amount_charged: amountMinor.nullish(),
    currency: currencyLower,
    customer: customerId.nullish(),
    metadata,
    discounts: z.array(ref).max(MOST_REFS).nullish(),
    redemptions: z.array(id('rdm')).max(MOST_REFS).nullish(),
  })
  .refine(({ amount, amount_charged }) => (amount_charged ?? 0) <= amount, {
    error: 'cannot be more than amount',
    path: ['amount_charged'],
  })

/** What a type says of the payment; a refunded payment was completed. */
const STATUS_OF: Readonly<Record<string, PaymentStatus>> = {
  'payment.created': 'requires_payment',
  'payment.processing': 'processing',
  'payment.completed': 'completed',
  'payment.succeeded': 'completed',
  'payment.refunded': 'completed',
  'payment.failed': 'failed',
  'payment.canceled': 'canceled',
  'payment.expired': 'expired',
}

/** The sandbox, and every system that speaks the platform's own form. */
export const sandbox: Provider = {
  verify: <Secret extends { readonly secret: string }>(given: Verification<Secret>) => {
    const signature = readSignature(given.header('x-vinr-signature'))
    if (signature === undefined) return undefined
    if (Math.abs(given.nowMs / 1_000 - signature.timestamp) > TOLERANCE_S) return undefined
    return given.secrets.find(({ secret }) => isMadeBy(secret, signature, given.body))
  },

  read: (body): ProviderEvent => {
    const payload = jsonOf(body)
    const event = parse<typeof SandboxEvent>(SandboxEvent, payload)
    const { id, type, data } = event
    const payment = type.startsWith('payment.') ? reportedIn(data) : null
    return { id, type, status: STATUS_OF[type] ?? null, payment, payload: event }
  },
}

// jsonb holds neither NUL nor half a surrogate pair, which JSON writes only as these escapes.
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i

function jsonOf(body: Buffer): unknown {
  const { payload, stored } = parsed(body)
  if (UNSTORABLE.test(stored)) {
    return refuse('parameter_invalid', 'The body has characters that cannot be stored.')
  }
  return payload
}

function parsed(body: Buffer): { payload: unknown; stored: string } {
  try {
    const payload: unknown = JSON.parse(body.toString('utf8'))
    return { payload, stored: JSON.stringify(payload) } // throws on what is nested too deep to store
  } catch {
    return refuse('invalid_json', 'The body is not valid JSON.')
  }
}

function reportedIn(data: unknown): ReportedPayment {
  const read = parse<typeof Enveloped>(Enveloped, { data }).data
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
  }
}

// So that what is wrong is named as the sender knows it: data.amount.
const Enveloped = z.looseObject({ data: ReportedData })
