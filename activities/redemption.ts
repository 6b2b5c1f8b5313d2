import {
  type CreateArguments,
  insertRedemption,
  reverseRedemption as reverse,
} from '../db/redemptions.ts'
import { type Asked, type Settling, settlementOf, settling, type Who } from './settlement.ts'
import { tellPaymentRun } from './tell-workflows.ts'

type Reversal = Asked & {
  reason: string
  points?: number
  quantity?: number
  refund?: { id: string; event: string }
}
export type RedemptionActivities = ReturnType<typeof redemptionActivities>

/** The writers of redemptions: each is one ledger function, one transaction, idempotent by its operation. */
export function redemptionActivities(dependencies: Settling) {
  const { pool, engine } = dependencies
  const settle = settling(dependencies)

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

    /** Where it refunds the payment as well, that goes on as any refund does. */
    reverseRedemption: async ({ points, quantity, refund, ...ask }: Reversal) => {
      const part = { points: points ?? null, quantity: quantity ?? null, refund: refund ?? null }
      const result = await reverse(pool, { ...ask, ...part })
      if (engine && result.refunded) {
        // the refund stands whatever comes of this; the payment's run or the net goes on with it
        await tellPaymentRun(engine, ask.workspace, result.refunded)
      }
      return settlementOf(result)
    },
  }
}
