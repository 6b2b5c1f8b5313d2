import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { PaymentStatus, ReportedMore, ReportedPayment } from '../../../db/results/payment.ts'
import { derivedId } from '../../../domain/ids.ts'
import { refuse } from '../../../domain/refusal.ts'
import { amountMinor, currencyLower } from '../../schemas/amounts.ts'
import { customerId } from '../../schemas/ids.ts'
import { parse } from '../../server/endpoint.ts'
import {
  jsonOf,
  looseMetadata,
  type Provider,
  type ProviderEvent,
  providerTime,
  refundStatus,
  type Signer,
  type Verification,
} from '../provider.ts'
import { GenericMapping } from './generic-mapping.ts'

type Mapping = z.output<typeof GenericMapping>

const STATUS_OF: ReadonlyMap<string, PaymentStatus> = new Map([
  ['payment.created', 'requires_payment'],
  ['payment.processing', 'processing'],
  ['payment.completed', 'completed'],
  ['payment.failed', 'failed'],
  ['payment.canceled', 'canceled'],
  ['payment.expired', 'expired'],
])

const TRIGGERS = ['invoice.paid', 'subscription.created', 'referral.converted'] as const

// Where a mapping does not say
const AMOUNT = 'amount'
const CURRENCY = 'currency'

/** Any sender of signed JSON: an HMAC-SHA256 of the body in a header, fields found by the workspace's mapping. */
export const generic: Provider = {
  verify: <Secret extends Signer>({ header, body, secrets }: Verification<Secret>) =>
    secrets.find(({ secret, mapping }) => {
      const read = GenericMapping.safeParse(mapping)
      if (!read.success) return false
      const { encoding, prefix } = read.data
      const given = header(read.data.header)
      if (given === undefined || !given.startsWith(prefix)) return false
      const digest = Buffer.from(given.slice(prefix.length), encoding)
      const expected = createHmac('sha256', secret).update(body).digest()
      return digest.length === expected.length && timingSafeEqual(digest, expected)
    }),

  read: (body, { mapping }): ProviderEvent => {
    const map = GenericMapping.parse(mapping)
    const payload = parse(z.looseObject({}), jsonOf(body))
    const id = textAt(payload, map.event.id)
    const theirs = textAt(payload, map.event.type)
    const type = Object.hasOwn(map.types, theirs) ? map.types[theirs] : undefined
    const said = { payload, content: contentOf(map) }
    if (type === undefined) return { id, type: theirs, status: null, payment: null, ...said }
    const trigger = TRIGGERS.find((name) => name === type)
    if (trigger !== undefined) {
      const more = triggerIn(payload, map, trigger)
      return { id, type, status: null, payment: null, ...said, more }
    }
    const subject = safeId(textAt(payload, map.payment.id))
    if (type.startsWith('refund.')) {
      return {
        id,
        type,
        status: null,
        payment: null,
        ...said,
        more: refundIn(payload, map, type, subject),
      }
    }
    const more = { completed_at: timeAt(payload, map.event.created) }
    const payment = paymentIn(payload, map, subject)
    return { id, type, status: STATUS_OF.get(type) ?? null, payment, ...said, more }
  },
}

/** What the mapping reads; the rest of a body of any form may be about its delivery. */
function contentOf({ event, payment, refund, trigger }: Mapping): string[][] {
  const paid = { amount: AMOUNT, currency: CURRENCY, ...payment }
  const parts = [...Object.values(paid), ...Object.values(refund ?? {})]
  const read = [event.type, event.created, ...parts, ...Object.values(trigger ?? {})]
  return read.flatMap((path) => (path === undefined ? [] : [path.split('.')]))
}

function paymentIn(payload: unknown, map: Mapping, id: string): ReportedPayment {
  const { amount, currency, invoice } = map.payment
  return {
    id,
    amount: valueAt(payload, amount ?? AMOUNT, amountMinor),
    currency: valueAt(payload, currency ?? CURRENCY, currencyLower),
    ...whoseIn(payload, map.payment),
    invoice: valueIf(payload, invoice, idText.nullish()) ?? null,
    refs: [],
  }
}

type Whose = Pick<Mapping['payment'], 'customer' | 'metadata' | 'loyalty_account'>

function whoseIn(payload: unknown, { customer, metadata, loyalty_account }: Whose) {
  const pinned = valueIf(payload, loyalty_account, idText.nullish())
  return {
    customer: valueIf(payload, customer, customerId.nullish()) ?? null,
    metadata: {
      ...valueIf(payload, metadata, looseMetadata),
      ...(typeof pinned === 'string' && { loyalty_account: pinned }),
    },
  }
}

/** What earns by itself, in the mapping's words. An amount that is not mapped is none. */
function triggerIn(
  payload: unknown,
  map: Mapping,
  trigger: (typeof TRIGGERS)[number],
): ReportedMore {
  if (map.trigger === undefined) return refuse('parameter_missing', 'The mapping names no trigger.')
  const { id, amount, currency, payment } = map.trigger
  const subject = textAt(payload, id)
  const paid = valueIf(payload, payment, idText.nullish())
  const at = timeAt(payload, map.event.created)
  return {
    subject,
    facts: {
      trigger,
      noun: trigger.split('.')[0] ?? trigger,
      ...whoseIn(payload, map.trigger),
      amount: valueIf(payload, amount, amountMinor.nullish()) ?? null,
      currency: valueIf(payload, currency, currencyLower.nullish()) ?? null,
      payment: typeof paid === 'string' ? safeId(paid) : null,
      ...(at !== undefined && { at }),
    },
  }
}

function refundIn(payload: unknown, map: Mapping, type: string, subject: string) {
  if (map.refund === undefined) return refuse('parameter_missing', 'The mapping names no refund.')
  const { id, amount, status } = map.refund
  const word =
    type === 'refund.failed' || status === undefined
      ? type.replace('refund.', '')
      : valueAt(payload, status, idText.nullish())
  const refund = {
    id: textAt(payload, id),
    amount: valueAt(payload, amount, amountMinor),
    status: refundStatus(word),
  }
  return { subject, refunds: [refund] }
}

function timeAt(payload: unknown, at: string | undefined): string | undefined {
  const time = optionalAt(payload, at)
  return typeof time === 'number' || typeof time === 'string' ? providerTime(time, at) : undefined
}

function optionalAt(payload: unknown, at: string | undefined): unknown {
  if (at === undefined) return undefined
  return at
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        value !== null && typeof value === 'object' && Object.hasOwn(value, name)
          ? Object.entries(value).find(([key]) => key === name)?.[1]
          : undefined,
      payload,
    )
}

/** Refuses what is not there, or not what it should be, by its path in the sender's body. */
function valueAt<S extends z.ZodType>(payload: unknown, at: string, schema: S): z.output<S> {
  const value = optionalAt(payload, at)
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const missing = value === undefined || value === null
  const code = missing ? 'parameter_missing' : 'parameter_invalid'
  return refuse(code, `${at}: ${missing ? 'is not there' : 'is not what it should be'}.`, {
    param: at,
  })
}

/** The same where the mapping says where to look; undefined where it does not. */
const valueIf = <S extends z.ZodType>(payload: unknown, at: string | undefined, schema: S) =>
  at === undefined ? undefined : valueAt(payload, at, schema)

const LONGEST_ID = 255
const idText = z.union([z.string().min(1).max(LONGEST_ID), z.number().int()]).transform(String)

const textAt = (payload: unknown, at: string): string => valueAt(payload, at, idText)

/** The sender's id as one of ours: as it is where a path can carry it, else one derived from it. */
const safeId = (theirs: string): string => {
  if (!/^[0-9A-Za-z_]{1,56}$/.test(theirs)) return derivedId('pay', 'generic', theirs)
  return theirs.startsWith('pay_') ? theirs : `pay_${theirs}`
}
