import { idPath } from '../schemas/ids.ts'
import { Extension, Redemption } from '../schemas/redemptions.ts'
import { endpoint } from '../server/endpoint.ts'
import { answerCommand } from './redemptions.ts'

export const extendRedemption = endpoint({
  method: 'POST',
  path: '/v1/loyalty/redemptions/{id}/extend',
  summary: 'Hold a pending redemption for longer',
  description: '`expires_at` becomes the later of itself and now, plus `minutes`.',
  tags: ['redemptions'],
  key: 'secret',
  params: idPath('rdm'),
  body: Extension,
  reply: Redemption,
  errors: ['resource_missing', 'redemption_already_settled', 'idempotency_key_reused'],
  handle: (ctx) =>
    answerCommand(ctx, (command) =>
      ctx.deps.commands.extendRedemption({ ...command, minutes: ctx.body.minutes }),
    ),
})
