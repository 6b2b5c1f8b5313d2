import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client'
import type { UpdateDefinition } from '@temporalio/common'
import { findRedemptionMessage } from '../../db/redemption-messages.ts'
import { findRedemption, type RedemptionRow } from '../../db/redemptions.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { askRedemption, fulfillmentInputOf, inputOf } from '../../temporal/redemption.ts'
import type { MessageAnswer, Operation } from '../../temporal/redemption-asks.ts'
import type { Deps } from '../deps.ts'
import { Outage, orOutage } from '../outage.ts'
import { notFound, spokenInPoints } from '../points-refusal.ts'
import { presentRedemption } from './present.ts'

const UNKNOWN = 'Whether the redemption obeyed is unknown. Retry with the same Idempotency-Key.'

type Asking = {
  readonly workspace: string
  readonly livemode: boolean
  readonly params: { readonly id: string }
  readonly idempotencyKey: string | undefined
  readonly operation: string
  readonly fingerprint: string
  readonly deps: Deps
}

/**
 * Sends a message to a redemption's run and answers with the redemption after
 * it. `wanted` is the status that the message brings about where it is obeyed; an
 * outcome that overtook it is redemption_already_settled.
 */
export async function askRun<More extends object>(
  ctx: Asking,
  update: UpdateDefinition<MessageAnswer, [Operation & More]>,
  more: More,
  wanted?: RedemptionRow['status'],
) {
  const { workspace, params, deps, operation, fingerprint } = ctx
  const obeyed = await wasObeyed(ctx) // asked first: the redemption read after it has obeyed as well
  const before = await findRedemption(deps.pool, workspace, params.id)
  if (before === undefined) return notFound('redemption', params.id)
  if (obeyed) return answerWith(ctx, before, true)
  refuseDeaf(before, update.name)

  const answer = await orOutage(UNKNOWN, () =>
    delivered(deps, workspace, before, update, { ...more, operation, fingerprint }),
  )
  if (answer?.refusal !== undefined) {
    const decimals = await deps.decimals.ofProgram(workspace, before.program)
    throw new Refused(spokenInPoints(answer.refusal, decimals))
  }
  const after = await findRedemption(deps.pool, workspace, params.id)
  if (after === undefined) return notFound('redemption', params.id)
  const replayed = answer?.replayed === true
  if (answer === undefined && !(await findRedemptionMessage(deps.pool, workspace, operation))) {
    return refuseUnheard(after)
  }
  if (!replayed && wanted !== undefined && after.status !== wanted) refuseSettled(after)
  return answerWith(ctx, after, replayed)
}

async function answerWith(ctx: Asking, row: RedemptionRow, replayed: boolean) {
  const object = await presentRedemption(ctx.deps, ctx, row)
  return { status: 'ok' as const, replayed, object }
}

/** Whether the same message with the same key was obeyed before; refuses the key with another message. */
async function wasObeyed(ctx: Asking): Promise<boolean> {
  const { workspace, deps, operation, fingerprint, idempotencyKey } = ctx
  if (idempotencyKey === undefined) return false
  const earlier = await findRedemptionMessage(deps.pool, workspace, operation)
  if (earlier !== undefined && earlier.fingerprint !== fingerprint) {
    refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
  }
  return earlier !== undefined
}

// Which of the messages each kind of run hears. The rest are refused without waking it.
const HEARD = { item: ['fulfill', 'reverse'], other: ['cancel', 'confirm', 'extend', 'reverse'] }

function refuseDeaf(row: RedemptionRow, message: string): void {
  if (HEARD[row.fulfillment ? 'item' : 'other'].includes(message)) return
  if (message !== 'fulfill') refuseSettled(row)
  refuse('parameter_invalid', 'id: this redemption has nothing to ship.', { param: 'id' })
}

const TRIES = 2

/** The run's answer; undefined where each run that took the message closed under it. */
async function delivered<Ask extends Operation>(
  deps: Deps,
  workspace: string,
  row: RedemptionRow,
  update: UpdateDefinition<MessageAnswer, [Ask]>,
  ask: Ask,
): Promise<MessageAnswer | undefined> {
  const dueAt = (row.expiresAt ?? row.overdueAt ?? row.createdAt).toISOString()
  const input = (row.fulfillment ? fulfillmentInputOf : inputOf)(workspace, row, dueAt)
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      return await askRedemption(deps.engine, input, update, ask)
    } catch (error) {
      if (!closedUnderIt(error)) throw error
    }
  }
  return undefined
}

function closedUnderIt(error: unknown): boolean {
  return error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError
}

/** Every run closed under the message, and the ledger does not know it: it was not obeyed. */
function refuseUnheard(row: RedemptionRow): never {
  if (row.status === 'pending' || row.status === 'fulfillment_pending') throw new Outage(UNKNOWN)
  return refuseSettled(row)
}

function refuseSettled({ status }: RedemptionRow): never {
  refuse('redemption_already_settled', `The redemption is ${status} already.`, {
    fields: { status },
  })
}
