import type { Command } from '../../app/redemptions.ts'
import { readRedemption } from '../../db/from-ledger.ts'
import type { RedemptionResult, RedemptionRow } from '../../db/redemptions.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { orOutage } from '../outage.ts'
import { inPoints, notFound } from '../points-refusal.ts'
import { presentRedemption } from '../schemas/redemptions.ts'
import type { Deps } from '../server/deps.ts'

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
