import { findPayment } from '../../db/payments.ts'
import { refuse } from '../../domain/refusal.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Confirmation, Payment } from '../schemas/payments.ts'
import { endpoint } from '../server/endpoint.ts'
import { outcomeOfCard } from './card.ts'
import { move } from './move.ts'

const path = '/v1/payments/{id}/confirm'

export const confirmPayment = endpoint({
  method: 'POST',
  path,
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
    return move(ctx, `POST ${path}`, params.id, outcome === 'failed' ? 'failed' : 'completed')
  },
})
