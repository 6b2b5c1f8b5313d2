import { call } from '../db/call.ts'
import { type CreateArguments, insertRedemption, type RedemptionResult } from '../db/redemptions.ts'
import { redemption } from '../db/schema/index.ts'
import { fromSnapshot, type Snapshot } from '../db/snapshot.ts'
import type { RedemptionFacts } from '../domain/redemption-story.ts'
import { type Refusal, refusalSentence } from '../domain/refusal-sentence.ts'
import type { Engine } from '../temporal/engine.ts'
import type { Dependencies } from './dependencies.ts'
import { armExpiries } from './expiry.ts'

/** What a message did: its outcome, and the redemption's state after it (null: no such redemption). */
export type Settlement = {
  readonly outcome: string
  readonly facts: RedemptionFacts | null
  readonly refusal?: Refusal
}

type Who = { workspace: string; redemption: string /** ISO 8601 */; at: string }
type Asked = Who & { operation: string; fingerprint: string }

export type RedemptionActivities = ReturnType<typeof redemptionActivities>

/** The writers of redemptions: each is one ledger function, one transaction, idempotent by its operation. */
export function redemptionActivities({
  pool,
  engine,
}: Pick<Dependencies, 'pool'> & { engine?: Engine }) {
  const settle = async (name: string, args: [workspace: string, ...unknown[]]) => {
    const result = await call<RedemptionResult>(pool, name, args)
    // points that came back may be due before their account's expiry run wakes
    await armExpiries(engine, args[0], result.wakes)
    return settlementOf(result)
  }

  return {
    /** Run by the API inside the request; see `redemption_create` for its outcomes. */
    createRedemption: (create: CreateArguments) => insertRedemption(pool, create),

    applyRedemption: ({ workspace, redemption, payment, at }: Who & { payment: string }) =>
      settle('redemption_apply', [workspace, redemption, payment, at]),

    releaseDueRedemption: ({ workspace, redemption, at }: Who) =>
      settle('redemption_release', [
        workspace,
        redemption,
        'deadline',
        null,
        null,
        null,
        'expired',
        at,
      ]),

    releaseFailedRedemption: ({
      workspace,
      redemption,
      payment,
      reason,
      at,
    }: Who & { payment: string; reason: string }) =>
      settle('redemption_release', [
        workspace,
        redemption,
        'payment',
        payment,
        null,
        null,
        reason,
        at,
      ]),

    cancelRedemption: ({
      workspace,
      redemption,
      operation,
      fingerprint,
      reason,
      at,
    }: Asked & { reason: string }) =>
      settle('redemption_release', [
        workspace,
        redemption,
        'cancel',
        null,
        operation,
        fingerprint,
        reason,
        at,
      ]),

    confirmRedemption: ({ workspace, redemption, operation, fingerprint, at }: Asked) =>
      settle('redemption_confirm', [workspace, redemption, operation, fingerprint, at]),

    extendRedemption: ({
      workspace,
      redemption,
      minutes,
      operation,
      fingerprint,
      at,
    }: Asked & { minutes: number }) =>
      settle('redemption_extend', [workspace, redemption, minutes, operation, fingerprint, at]),

    reverseRedemption: (ask: Asked & { reason: string; points?: number }) =>
      settle('redemption_reverse', [
        ask.workspace,
        ask.redemption,
        ask.points ?? null,
        ask.reason,
        ask.operation,
        ask.fingerprint,
        ask.at,
      ]),
  }
}

function settlementOf({ outcome, redemption: snapshot, refusal }: RedemptionResult): Settlement {
  return {
    outcome,
    facts: snapshot ? factsOf(snapshot) : null,
    refusal: refusal && refusalSentence(refusal),
  }
}

function factsOf(snapshot: Snapshot): RedemptionFacts {
  const row = fromSnapshot(redemption, snapshot)
  return {
    status: row.status,
    payment: row.payment,
    reason: row.reason,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    late: row.latePayment?.outcome ?? null,
  }
}
