import { z } from 'zod'
import type { Command } from '../../app/redemptions.ts'
import { readRedemption } from '../../db/from-ledger.ts'
import {
  findRedemption,
  type RedemptionResult,
  type RedemptionRow,
  listRedemptions as readRedemptions,
} from '../../db/redemptions.ts'
import { derivedId, newId } from '../../domain/ids.ts'
import { redemptionObject } from '../../domain/objects/redemption.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { orOutage } from '../outage.ts'
import { inPoints, notFound } from '../points-refusal.ts'
import { newCode } from '../redemptions/code.ts'
import { codeOpener, withCodes } from '../redemptions/gift-cards.ts'
import { refuseMissing, refuseNonsense } from '../redemptions/judge.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import {
  NewRedemption,
  presentRedemption,
  presentRedemptions,
  REDEMPTION_STATUSES,
  Redemption,
} from '../schemas/redemptions.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'

const ROUTE = 'POST /v1/loyalty/redemptions' // a part of every id that is made of a key: it never changes

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
    const { workspace, livemode, body, idempotencyKey: key, fingerprint, deps } = ctx
    const { account, reward, variant, quantity, metadata, shipping = null } = body
    const create = {
      workspace,
      redemption: key === undefined ? newId('rdm') : derivedId('rdm', workspace, ROUTE, key),
      account,
      reward,
      variant,
      quantity,
      holdMinutes: deps.holdMinutes,
      code: newCode(),
      fingerprint,
      shipping,
      metadata,
    }
    const result = await withCodes(deps, create, (codes) =>
      write(() => deps.commands.createRedemption({ ...create, codes })),
    )
    const row = rowOf(result, body)
    const replayed = result.outcome === 'exists'
    if (replayed && row.fingerprint !== fingerprint) {
      refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
    }
    const { decimals } = result
    const object =
      decimals === undefined
        ? await presentRedemption(deps, ctx, row)
        : redemptionObject(row, { decimals, livemode }, codeOpener(deps, workspace))
    return { status: 'created', replayed, object }
  },
})

/** The redemption created or stored before; refuses what was not. */
function rowOf(result: RedemptionResult, asked: z.output<typeof NewRedemption>): RedemptionRow {
  const { outcome, redemption, refusal, param = 'account', decimals = 0 } = result
  if (redemption !== undefined) return readRedemption(redemption)
  if (refusal !== undefined) throw new Refused(inPoints(refusal, decimals))
  return outcome === 'nonsense' ? refuseNonsense(param) : refuseMissing({ ...result, param }, asked)
}

const path = '/v1/loyalty/redemptions'

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
  path: '/v1/loyalty/redemptions/{id}',
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

const UNKNOWN =
  'Whether the redemption was changed is unknown. Retry with the same Idempotency-Key.'

export type CommandContext = {
  readonly workspace: string
  readonly livemode: boolean
  readonly params: { readonly id: string }
  readonly operation: string
  readonly fingerprint: string
  readonly deps: Deps
}

/**
 * Sends a redemption its command: one transaction under its lock, once by its operation. Returns the row as that
 * left it, or as it is now where an earlier request with the key was obeyed.
 */
export async function sendCommand(
  ctx: CommandContext,
  send: (command: Command) => Promise<RedemptionResult>,
): Promise<{ row: RedemptionRow; replayed: boolean }> {
  const { workspace, params, operation, fingerprint, deps } = ctx
  const command = { workspace, redemption: params.id, operation, fingerprint, at: null }
  const result = await orOutage(UNKNOWN, () => write(() => send(command)))
  const row = result.redemption && readRedemption(result.redemption)
  if (result.refusal !== undefined) return refuseCommand(deps, result.refusal, row)
  if (row === undefined) return notFound('redemption', params.id)
  return { row, replayed: result.outcome === 'replayed' }
}

/** The same, as a route answers. */
export async function answerCommand(
  ctx: CommandContext,
  send: (command: Command) => Promise<RedemptionResult>,
) {
  const { row, replayed } = await sendCommand(ctx, send)
  const object = await presentRedemption(ctx.deps, ctx, row)
  return { status: 'ok' as const, replayed, object }
}

async function refuseCommand(
  deps: Deps,
  refusal: NonNullable<RedemptionResult['refusal']>,
  row: RedemptionRow | undefined,
): Promise<never> {
  if ('ships' in refusal) {
    return refuse('parameter_invalid', 'id: this redemption has nothing to ship.', { param: 'id' })
  }
  const decimals = row === undefined ? 0 : await deps.decimals.ofProgram(row.workspace, row.program)
  throw new Refused(inPoints(refusal, decimals))
}
