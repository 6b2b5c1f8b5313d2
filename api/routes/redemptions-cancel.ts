import { z } from 'zod'
import { idPath } from '../schemas/ids.ts'
import { Redemption } from '../schemas/redemptions.ts'
import { endpoint } from '../server/endpoint.ts'
import { answerCommand } from './redemptions.ts'

export const cancelRedemption = endpoint({
  method: 'POST',
  path: '/v1/loyalty/redemptions/{id}/cancel',
  summary: 'Cancel a pending redemption',
  description: 'The points return to the member, and the discount leaves a payment still open.',
  tags: ['redemptions'],
  key: 'secret',
  params: idPath('rdm'),
  body: z.strictObject({}),
  reply: Redemption,
  errors: [
    'resource_missing',
    'redemption_already_settled',
    'payment_processing',
    'idempotency_key_reused',
  ],
  handle: (ctx) =>
    answerCommand(ctx, (command) =>
      ctx.deps.commands.cancelRedemption({ ...command, reason: 'canceled' }),
    ),
})
