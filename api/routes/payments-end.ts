import { z } from 'zod'
import { endPayment } from '../../app/payments.ts'
import { notFound } from '../../app/refusals.ts'
import type { RequestIdentity } from '../../db/idempotency.ts'
import { findPayment, type MovePayment } from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { paymentObject } from '../../domain/payment.ts'
import { refuse } from '../../domain/refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Confirmation, Payment } from '../schemas/payments.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { updated } from '../server/replies.ts'
import { outcomeOfCard } from './payments.ts'

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
