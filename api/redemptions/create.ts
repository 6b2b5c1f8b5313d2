import { redemptionObject } from '../../domain/objects/redemption.ts'
import { endpoint } from '../endpoint.ts'
import { NewRedemption, Redemption } from '../objects/redemption.ts'
import { beginRedemption } from './begin.ts'
import { codeOpener } from './gift-cards.ts'
import { presentRedemption } from './present.ts'

export const createRedemption = endpoint({
  method: 'POST',
  path: '/v1/loyalty/redemptions',
  summary: 'Redeem a reward',
  description:
    'Takes the points and gives the artifact, together or not at all. A discount is held for its payment until `expires_at`; without one the points return by themselves.',
  tags: ['redemptions'],
  key: 'secret',
  body: NewRedemption,
  reply: Redemption,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'insufficient_points',
    'reward_inactive',
    'reward_out_of_stock',
    'reward_not_started',
    'reward_ended',
    'limit_reached',
    'tier_required',
    'account_closed',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, body, idempotencyKey, fingerprint, deps } = ctx
    const { account, reward, variant, quantity, metadata, shipping = null } = body
    const asked = {
      workspace,
      account,
      reward,
      variant,
      quantity,
      shipping,
      metadata,
      idempotencyKey,
      fingerprint,
    }
    const { row, replayed, decimals } = await beginRedemption(deps, asked)
    const object =
      decimals === undefined
        ? await presentRedemption(deps, ctx, row)
        : redemptionObject(row, { decimals, livemode }, codeOpener(deps, workspace))
    return { status: 'created', replayed, object }
  },
})
