import { z } from 'zod'
import { endPayment, type MovePayment, createPayment as pay } from '../../app/payments.ts'
import { notFound } from '../../app/refusals.ts'
import type { RequestIdentity } from '../../db/idempotency.ts'
import { findPayment, listPayments as readPayments } from '../../db/payments.ts'
import type { RedemptionRef } from '../../db/results/payment.ts'
import { newId } from '../../domain/ids.ts'
import { paymentObject, SHOWN_PAYMENT_STATUSES } from '../../domain/payment.ts'
import { type Refusal, Refused, refuse } from '../../domain/refusal.ts'
import { customerId, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { Confirmation, NewPayment, Payment } from '../schemas/payments.ts'
import { text } from '../schemas/text.ts'
import { created, updated } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'

export const createPayment = endpoint({
  method: 'POST',
  path: '/v1/payments',
  summary: 'Create a payment',
  description:
    'Takes the discounts of redemptions off the amount, then store credit. In test mode a `card` settles it: 4242424242424242 completes, 4000000000000002 is declined, 4000000000003220 waits for a confirmation.',
  tags: ['payments'],
  key: 'secret',
  body: NewPayment,
  reply: Payment,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'redemption_already_attached',
    'redemption_already_settled',
    'redemption_account_mismatch',
    'redemption_expired',
    'currency_mismatch',
    'idempotency_key_reused',
    'idempotency_key_in_use',
    'account_closed',
  ],
  handle: async (ctx) => {
    const { caller, livemode, body, deps } = ctx
    const { amount, currency, customer = null, metadata, card } = body
    if (livemode && card !== undefined) {
      refuse('parameter_invalid', 'card: only test mode has the sandbox.', { param: 'card' })
    }
    const outcome = card === undefined ? 'open' : outcomeOfCard(card)
    const settled = outcome === 'completed' || outcome === 'failed'
    const command = {
      ...ctx.request,
      payment: newId('pay'),
      amount,
      currency,
      customer,
      metadata,
      redemptions: namedRedemptions(body),
      storeCredit: storeCreditOf(body.store_credit),
      status: settled ? outcome : ('requires_payment' as const),
      awaitsConfirmation: outcome === 'awaits_confirmation',
      event: newId('evt'),
    }
    const create = () => pay(deps, command).catch(naming(body))
    const byCode = body.discounts.some((discount) => 'code' in discount)
    const made = byCode
      ? await deps.attempts.tryOut(`${caller} code`, isUnknownDiscount, create)
      : await create()
    return created(made, (row) => paymentObject(row, livemode))
  },
})

type DiscountNames = {
  readonly discounts: readonly RedemptionRef[]
  readonly redemptions: readonly string[]
}

/** `discounts` and `redemptions` say the same thing in two ways; each one counts once. */
function namedRedemptions({ discounts, redemptions }: DiscountNames): RedemptionRef[] {
  const refs = [...discounts, ...redemptions.map((redemption) => ({ redemption }))]
  const keyed = refs.map(
    (ref) => ['code' in ref ? `code ${ref.code}` : ref.redemption, ref] as const,
  )
  return [...new Map(keyed).values()]
}

/** `true`, an amount and the whole form say the same thing in three ways. */
function storeCreditOf(asked: z.output<typeof NewPayment>['store_credit']) {
  if (asked === undefined) return null
  if (asked === true) return {}
  return typeof asked === 'number' ? { amount: asked } : asked
}

const isUnknownDiscount = ({ code, param }: Refusal): boolean =>
  code === 'resource_missing' && param === 'discounts'

/** Throws a refusal on; where it is about something that does not exist, with the parameter that named it. */
const naming =
  ({ redemptions }: DiscountNames) =>
  (error: unknown): never => {
    if (!(error instanceof Refused)) throw error
    const { refusal } = error
    if (refusal.code !== 'resource_missing' || refusal.param !== undefined) throw error
    const byId = redemptions.some((id) => id === refusal.fields?.redemption)
    throw new Refused({ ...refusal, param: byId ? 'redemptions' : 'discounts' })
  }

const path = '/v1/payments'

// What is kept of one in its column.
const MOST_OF_ORDER_NUMBER = 200

export const listPayments = endpoint({
  method: 'GET',
  path,
  summary: 'List payments',
  tags: ['payments'],
  key: 'secret',
  query: listQuery('pay', {
    customer: customerId.optional(),
    status: z.enum(SHOWN_PAYMENT_STATUSES).optional(),
    order_number: text(MOST_OF_ORDER_NUMBER).optional().meta({
      description:
        'As its metadata has it: `order_number`, `order_id`, `order` or `client_reference_id`, the first that is there.',
    }),
  }),
  reply: listReply(Payment),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { customer, status, order_number: orderNumber } = query
    const filter = { customer, status, orderNumber }
    const { rows, hasMore } = await readPayments(deps.pool, workspace, filter, pageOf(query))
    const data = rows.map((row) => paymentObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

export const retrievePayment = endpoint({
  method: 'GET',
  path: '/v1/payments/{id}',
  summary: 'Retrieve a payment',
  tags: ['payments'],
  key: 'secret',
  params: idPath('pay'),
  reply: Payment,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findPayment(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('payment', params.id)
    return { status: 'ok', object: paymentObject(row, livemode) }
  },
})

/** What a sandbox card does: complete, be declined for good, or wait for a confirmation. */
type CardOutcome = 'completed' | 'failed' | 'awaits_confirmation'

/** The sandbox's cards, by number without spaces. */
const CARDS: ReadonlyMap<string, CardOutcome> = new Map([
  ['4242424242424242', 'completed'],
  ['4000000000000002', 'failed'],
  ['4000000000003220', 'awaits_confirmation'],
])

/** What the card does; refuses one that the sandbox does not know, without repeating it. */
function outcomeOfCard(number: string): CardOutcome {
  return (
    CARDS.get(number) ??
    refuse('parameter_invalid', 'card: the sandbox does not know it.', { param: 'card' })
  )
}

export const confirmPayment = endpoint({
  method: 'POST',
  path: '/v1/payments/{id}/confirm',
  summary: 'Confirm an open payment',
  description:
    'With a `card` in test mode; without one where the payment has a card that waits for this.',
  tags: ['payments'],
  key: 'secret',
  params: idPath('pay'),
  body: Confirmation,
  reply: Payment,
  errors: [
    'resource_missing',
    'resource_changed',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    if (livemode && body.card !== undefined) {
      refuse('parameter_invalid', 'card: only test mode has the sandbox.', { param: 'card' })
    }
    const outcome = body.card === undefined ? 'completed' : outcomeOfCard(body.card)
    const row = await findPayment(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('payment', params.id)
    const isOpen = row.status === 'requires_payment' || row.status === 'processing'
    if (isOpen && body.card === undefined && !row.awaitsConfirmation) {
      refuse('parameter_missing', 'card: the payment has none yet.', { param: 'card' })
    }
    return answerEnd(ctx, outcome === 'failed' ? 'failed' : 'completed')
  },
})

export const cancelPayment = endpoint({
  method: 'POST',
  path: '/v1/payments/{id}/cancel',
  summary: 'Cancel an open payment',
  description: 'The redemptions attached to it are released.',
  tags: ['payments'],
  key: 'secret',
  params: idPath('pay'),
  body: z.strictObject({}),
  reply: Payment,
  errors: [
    'resource_missing',
    'resource_changed',
    'idempotency_key_reused',
    'idempotency_key_in_use',
    'payment_processing',
  ],
  handle: (ctx) => answerEnd(ctx, 'canceled'),
})

type EndContext = {
  readonly workspace: string
  readonly livemode: boolean
  readonly params: { readonly id: string }
  readonly request: RequestIdentity
  readonly deps: Deps
}

/** Moves the sandbox payment that the path names to its end, and answers with it. */
async function answerEnd(ctx: EndContext, status: MovePayment['status']) {
  const { workspace, livemode, params, deps } = ctx
  const command = { workspace, payment: params.id, status, event: newId('evt') }
  const ended = await endPayment(deps, command, ctx.request)
  return updated(ended, (row) => paymentObject(row, livemode))
}
