import { redemptionCommands } from './redemption-commands.ts'
import { type Asked, type Settling, settlementOf, settling, type Who } from './settlement.ts'

type Reversal = Asked & {
  reason: string
  points?: number
  quantity?: number
  refund?: { id: string; event: string }
}
export type RedemptionActivities = ReturnType<typeof redemptionActivities>

/** What a redemption's workflow does: each is one ledger function, one transaction, idempotent by its operation. */
export function redemptionActivities(dependencies: Settling) {
  const settle = settling(dependencies)
  const commands = redemptionCommands(dependencies)

  return {
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

    cancelRedemption: async (cancel: Asked & { reason: string }) =>
      settlementOf(await commands.cancelRedemption(cancel)),

    confirmRedemption: async (confirm: Asked) =>
      settlementOf(await commands.confirmRedemption(confirm)),

    extendRedemption: async (extension: Asked & { minutes: number }) =>
      settlementOf(await commands.extendRedemption(extension)),

    reverseRedemption: async (reversal: Reversal) =>
      settlementOf(await commands.reverseRedemption(reversal)),
  }
}
