import { databaseNow } from '../../db/clock.ts'
import { idPath } from '../schemas/ids.ts'
import { presentReward, Reward } from '../schemas/rewards.ts'
import type { Context } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { updated } from '../server/replies.ts'

const verb = {
  method: 'POST',
  tags: ['rewards'],
  key: 'secret',
  params: idPath('rwd'),
  reply: Reward,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
} as const

export const archiveReward = endpoint({
  ...verb,
  path: '/v1/loyalty/rewards/{id}/archive',
  summary: 'Take a reward out of the catalogue',
  description:
    'It is listed only with `archived=true` and can no longer be redeemed; what was redeemed of it stays.',
  handle: async (ctx) => move(ctx, await databaseNow(ctx.deps.pool)),
})

export const unarchiveReward = endpoint({
  ...verb,
  path: '/v1/loyalty/rewards/{id}/unarchive',
  summary: 'Put a reward back into the catalogue',
  handle: (ctx) => move(ctx, null),
})

type RewardContext = Context<{ id: string }, Record<string, never>, Record<string, never>, Deps>

async function move(ctx: RewardContext, archivedAt: Date | null) {
  const { params, deps } = ctx
  const moved = await deps.commands.archiveReward(ctx.request, params.id, archivedAt)
  return updated(moved, (row) => presentReward(deps, ctx, row))
}
