import { type CommandDependencies, redemptionCommands } from '../app/redemptions.ts'
import { settling } from './settlement.ts'

export type RedemptionActivities = ReturnType<typeof redemptionActivities>

/** What a redemption's workflow does. */
export function redemptionActivities(dependencies: CommandDependencies) {
  const commands = redemptionCommands(dependencies)
  return {
    applyRedemption: settling(commands.applyRedemption),
    releaseDueRedemption: settling(commands.releaseDueRedemption),
    releaseFailedRedemption: settling(commands.releaseFailedRedemption),
    cancelRedemption: settling(commands.cancelRedemption),
    confirmRedemption: settling(commands.confirmRedemption),
    extendRedemption: settling(commands.extendRedemption),
    reverseRedemption: settling(commands.reverseRedemption),
  }
}
