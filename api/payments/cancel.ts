import { z } from 'zod'
import { idPath } from '../schemas/ids.ts'
import { Payment } from '../schemas/payments.ts'
import { endpoint } from '../server/endpoint.ts'
import { move } from './move.ts'

const path = '/v1/payments/{id}/cancel'

export const cancelPayment = endpoint({
  method: 'POST',
  path,
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
  handle: (ctx) => move(ctx, `POST ${path}`, ctx.params.id, 'canceled'),
})
