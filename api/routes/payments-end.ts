import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import type { RequestIdentity } from '../../db/idempotency.ts'
import { findPayment, type MovePayment } from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { idPath } from '../schemas/ids.ts'
import { Confirmation, Payment } from '../schemas/payments.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { outcomeOfCard, presentResult } from './payments.ts'

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
    return move(ctx, params.id, outcome === 'failed' ? 'failed' : 'completed')
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
  handle: (ctx) => move(ctx, ctx.params.id, 'canceled'),
})

type PaymentContext = {
  readonly workspace: string
  readonly livemode: boolean
  readonly request: RequestIdentity
  readonly deps: Deps
}

/**
 * Moves a sandbox payment to its end and answers with it; one that has ended so
 * already is answered as it is, one that has ended otherwise is resource_changed.
 */
export async function move(ctx: PaymentContext, payment: string, status: MovePayment['status']) {
  const { workspace, livemode, deps } = ctx
  const asked = { workspace, payment, status, event: newId('evt') }
  const result = await retryOnConflict(() => deps.commands.movePayment(asked, ctx.request))
  const { refusal } = result
  if (refusal?.code === 'resource_missing') return notFound('payment', payment)
  if (refusal?.code === 'resource_changed') {
    refuse('resource_changed', `The payment is ${refusal.status} already.`, {
      fields: { status: refusal.status },
    })
  }
  if (refusal !== undefined) throw new Refused(refusalSentence(refusal))
  const replayed = result.outcome === 'replayed'
  return { status: 'ok' as const, replayed, object: presentResult(result, livemode) }
}
