import { type CommandDependencies, redemptionCommands } from '../app/redemptions.ts'
import type { RedemptionResult } from '../db/results/redemption.ts'
import { refusalSentence } from '../domain/ledger-refusal.ts'
import type { RedemptionFacts } from '../domain/redemption-summary.ts'
import type { Refusal } from '../domain/refusal.ts'

/** What a command did: its outcome, and the redemption's state after it (null: no such redemption). */
export type Settlement = {
  readonly outcome: string
  readonly facts: RedemptionFacts | null
  /** Orders the facts. */
  readonly revision?: number
  readonly refusal?: Refusal
}

function settlementOf(result: RedemptionResult): Settlement {
  const { outcome, facts = null, revision, refusal } = result
  return {
    outcome,
    facts,
    ...(revision !== undefined && { revision }),
    refusal: refusal && refusalSentence(refusal),
  }
}

/** A command as a run calls it: what it answers is what the run learns of its row. */
export const settling =
  <Command>(run: (command: Command) => Promise<RedemptionResult>) =>
  async (command: Command): Promise<Settlement> =>
    settlementOf(await run(command))

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
