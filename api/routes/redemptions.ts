import { z } from 'zod'
import { exactUnits } from '../../app/points.ts'
import {
  type Command,
  changeRedemption,
  createRedemption as redeem,
} from '../../app/redemptions.ts'
import { notFound } from '../../app/refusals.ts'
import { findProgram } from '../../db/programs.ts'
import { findRedemption, listRedemptions as readRedemptions } from '../../db/redemptions.ts'
import type { RedemptionResult } from '../../db/results/redemption.ts'
import { newId } from '../../domain/ids.ts'
import { REDEMPTION_STATUSES } from '../../domain/redemption.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import {
  Extension,
  NewRedemption,
  Parcel,
  presentRedemption,
  presentRedemptions,
  Redemption,
  Reversal,
} from '../schemas/redemptions.ts'
import { created, updated } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'

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
async function answerCommand(
  ctx: CommandContext,
  change: (command: Command) => Promise<RedemptionResult>,
) {
  const { workspace, params, operation, fingerprint, deps } = ctx
  const command = { workspace, redemption: params.id, operation, fingerprint, at: null }
  const changed = await changeRedemption(command, change)
  return updated(changed, (row) => presentRedemption(deps, ctx, row))
}

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

export const reverseRedemption = endpoint({
  method: 'POST',
  path: '/v1/loyalty/redemptions/{id}/reverse',
  summary: 'Undo a redemption',
  description:
    'The points return to the member, all of them or those of a part, to the lots they came from; stock and limits get the quantity back, what is reversed wholly is void, and of several gift cards as many as are returned, which is said by `quantity`. The payment of an applied discount keeps its charge: `payment_unaffected` says so and offers the refund, which `refund_payment` makes at once.',
  tags: ['redemptions'],
  key: 'secret',
  params: idPath('rdm'),
  body: Reversal,
  reply: Redemption,
  errors: [
    'resource_missing',
    'redemption_already_settled',
    'payment_processing',
    'not_reversible',
    'invalid_precision',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { workspace, params, body, deps } = ctx
    const points =
      body.points === undefined
        ? undefined
        : exactUnits('points', body.points, await freshDecimals(deps, workspace, params.id))
    const refund = body.refund_payment ? { id: newId('re'), event: newId('evt') } : undefined
    const { reason, quantity } = body
    return answerCommand(ctx, (command) =>
      deps.commands.reverseRedemption({ ...command, reason, points, quantity, refund }),
    )
  },
})

/** Read anew: points in a wrong scale would give back another amount. */
async function freshDecimals({ pool }: Deps, workspace: string, id: string): Promise<number> {
  const row = await findRedemption(pool, workspace, id)
  if (row === undefined) return notFound('redemption', id)
  const program = await findProgram(pool, workspace, row.program)
  if (program === undefined) throw new Error(`no program behind ${id}`)
  return program.decimals
}
