import { z } from 'zod'
import {
  type Command,
  changeRedemption,
  createRedemption as redeem,
} from '../../app/redemptions.ts'
import { notFound } from '../../app/refusals.ts'
import { findRedemption, listRedemptions as readRedemptions } from '../../db/redemptions.ts'
import type { RedemptionResult } from '../../db/results/redemption.ts'
import { REDEMPTION_STATUSES } from '../../domain/redemption.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import {
  NewRedemption,
  presentRedemption,
  presentRedemptions,
  Redemption,
} from '../schemas/redemptions.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { created, updated } from '../server/replies.ts'

const path = '/v1/loyalty/redemptions'

export const createRedemption = endpoint({
  method: 'POST',
  path,
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
    const { workspace, body, fingerprint, deps } = ctx
    const { shipping = null, ...asked } = body
    const command = { ...asked, shipping, workspace, redemption: ctx.idOf('rdm'), fingerprint }
    const { decimals, ...made } = await redeem(deps, command)
    return created(made, (row) => presentRedemption(deps, ctx, row, decimals))
  },
})

export const listRedemptions = endpoint({
  method: 'GET',
  path,
  summary: 'List redemptions',
  tags: ['redemptions'],
  key: 'secret',
  query: listQuery('rdm', {
    account: id('loy').optional(),
    reward: id('rwd').optional(),
    status: z.enum(REDEMPTION_STATUSES).optional(),
    payment: id('pay').optional(),
  }),
  reply: listReply(Redemption),
  errors: [],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const { account, reward, status, payment } = query
    const filter = { account, reward, status, payment }
    const { rows, hasMore } = await readRedemptions(deps.pool, workspace, filter, pageOf(query))
    return {
      status: 'ok',
      object: listOf(path, await presentRedemptions(deps, ctx, rows), hasMore),
    }
  },
})

export const retrieveRedemption = endpoint({
  method: 'GET',
  path: `${path}/{id}`,
  summary: 'Retrieve a redemption',
  tags: ['redemptions'],
  key: 'secret',
  params: idPath('rdm'),
  reply: Redemption,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findRedemption(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('redemption', ctx.params.id)
    return { status: 'ok', object: await presentRedemption(ctx.deps, ctx, row) }
  },
})

type CommandContext = {
  readonly workspace: string
  readonly livemode: boolean
  readonly params: { readonly id: string }
  readonly operation: string
  readonly fingerprint: string
  readonly deps: Deps
}

/** Carries out a command of the redemption that the path names, and answers with it. */
export async function answerCommand(
  ctx: CommandContext,
  change: (command: Command) => Promise<RedemptionResult>,
) {
  const { workspace, params, operation, fingerprint, deps } = ctx
  const command = { workspace, redemption: params.id, operation, fingerprint, at: null }
  const changed = await changeRedemption(command, change)
  return updated(changed, (row) => presentRedemption(deps, ctx, row))
}
