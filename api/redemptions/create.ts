import type { z } from 'zod'
import { readRedemption } from '../../db/from-ledger.ts'
import type { RedemptionResult, RedemptionRow } from '../../db/redemptions.ts'
import { derivedId, newId } from '../../domain/ids.ts'
import { redemptionObject } from '../../domain/objects/redemption.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { inPoints } from '../points-refusal.ts'
import { NewRedemption, presentRedemption, Redemption } from '../schemas/redemptions.ts'
import { endpoint } from '../server/endpoint.ts'
import { newCode } from './code.ts'
import { codeOpener, withCodes } from './gift-cards.ts'
import { refuseMissing, refuseNonsense } from './judge.ts'

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
