import { type CreateArguments, insertRedemption, type RedemptionResult } from '../db/redemptions.ts'
import { callOfActivity } from './call-of-activity.ts'
import type { Dependencies } from './dependencies.ts'

/** A command of one redemption: done once by its operation. `at`: ISO 8601; null: the database's time. */
export type Command = {
  workspace: string
  redemption: string
  operation: string
  fingerprint: string
  at: string | null
}

export type Reversal = Command & {
  reason: string
  /** A part, in the smallest unit or in rewards; neither: all that is left. */
  points?: number | undefined
  quantity?: number | undefined
  /** Ids of the refund of what the discount took off its payment, and of its event. */
  refund?: { id: string; event: string } | undefined
}

/** What a run or the reconciler finds to be done. `at`: ISO 8601, its time. */
export type RedemptionMoment = { workspace: string; redemption: string; at: string }

export type CommandDependencies = Pick<Dependencies, 'pool'>

type Send = (
  name: string,
  args: [workspace: string, redemption: string, ...unknown[]],
) => Promise<RedemptionResult>

/** What is done to redemptions at once: each is one ledger function, one transaction, whose answer has the row. */
export function redemptionCommands({ pool }: CommandDependencies) {
  const send: Send = (name, args) => callOfActivity<RedemptionResult>(pool, name, args)

  return {
    createRedemption: (create: CreateArguments) => insertRedemption(pool, create),

    cancelRedemption: (cancel: Command & { reason: string }) =>
      send('redemption_release', [
        cancel.workspace,
        cancel.redemption,
        'cancel',
        null,
        cancel.operation,
        cancel.fingerprint,
        cancel.reason,
        cancel.at,
      ]),

    confirmRedemption: ({ workspace, redemption, operation, fingerprint, at }: Command) =>
      send('redemption_confirm', [workspace, redemption, operation, fingerprint, at]),

    extendRedemption: (extension: Command & { minutes: number }) =>
      send('redemption_extend', [
        extension.workspace,
        extension.redemption,
        extension.minutes,
        extension.operation,
        extension.fingerprint,
        extension.at,
      ]),

    /** Where it refunds the payment as well, what follows from that is the payment's workflow's. */
    reverseRedemption: (reversal: Reversal) =>
      send('redemption_reverse', [
        reversal.workspace,
        reversal.redemption,
        reversal.points ?? null,
        reversal.quantity ?? null,
        reversal.reason,
        reversal.operation,
        reversal.fingerprint,
        reversal.at,
        reversal.refund?.id ?? null,
        reversal.refund?.event ?? null,
      ]),

    ...settlements(send),
  }
}

/** What a run does at its time, or when its payment ends; the reconciler, where the run was lost. */
function settlements(send: Send) {
  return {
    /** Its payment has completed; ignores the clock. */
    applyRedemption: ({
      workspace,
      redemption,
      payment,
      at,
    }: RedemptionMoment & { payment: string }) =>
      send('redemption_apply', [workspace, redemption, payment, at]),

    /** The points return, where it is pending and its deadline has passed. */
    releaseDueRedemption: ({ workspace, redemption, at }: RedemptionMoment) =>
      send('redemption_release', [
        workspace,
        redemption,
        'deadline',
        null,
        null,
        null,
        'expired',
        at,
      ]),

    /** The points return, where it is attached to this payment, which came to nothing. */
    releaseFailedRedemption: ({
      workspace,
      redemption,
      payment,
      reason,
      at,
    }: RedemptionMoment & { payment: string; reason: string }) =>
      send('redemption_release', [
        workspace,
        redemption,
        'payment',
        payment,
        null,
        null,
        reason,
        at,
      ]),
  }
}
