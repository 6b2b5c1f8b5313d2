import { idPath } from '../schemas/ids.ts'
import { Parcel, Redemption } from '../schemas/redemptions.ts'
import { endpoint } from '../server/endpoint.ts'
import { answerCommand } from './redemptions.ts'

export const fulfillRedemption = endpoint({
  method: 'POST',
  path: '/v1/loyalty/redemptions/{id}/fulfill',
  summary: 'Say that a redeemed item was shipped',
  description:
    'All items that are left, or `quantity` of them as one of several parcels. With the last one the redemption is `fulfilled`.',
  tags: ['redemptions'],
  key: 'secret',
  params: idPath('rdm'),
  body: Parcel,
  reply: Redemption,
  errors: ['resource_missing', 'redemption_already_settled', 'idempotency_key_reused'],
  handle: (ctx) => {
    const { tracking = null, carrier = null, quantity } = ctx.body
    return answerCommand(ctx, (command) =>
      ctx.deps.commands.fulfillRedemption({ ...command, tracking, carrier, quantity }),
    )
  },
})
