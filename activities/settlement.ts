import type { RedemptionResult } from '../db/redemptions.ts'
import type { RedemptionFacts } from '../domain/redemption-story.ts'
import { type Refusal, refusalSentence } from '../domain/refusal-sentence.ts'
import { type CommandDependencies, callOnRedemption } from './redemption-commands.ts'

/** What a message did: its outcome, and the redemption's state after it (null: no such redemption). */
export type Settlement = {
  readonly outcome: string
  readonly facts: RedemptionFacts | null
  /** Orders the facts. */
  readonly revision?: number
  readonly refusal?: Refusal
}

export type Who = { workspace: string; redemption: string /** ISO 8601 */; at: string }
export type Asked = Who & { operation: string; fingerprint: string }

export type Settling = CommandDependencies

/** Runs one ledger function of a redemption, by its name. */
export function settling({ pool }: Settling) {
  return async (name: string, args: [workspace: string, redemption: string, ...unknown[]]) =>
    settlementOf(await callOnRedemption(pool, name, args))
}

export function settlementOf(result: RedemptionResult): Settlement {
  const { outcome, facts = null, revision, refusal } = result
  return {
    outcome,
    facts,
    ...(revision !== undefined && { revision }),
    refusal: refusal && refusalSentence(refusal),
  }
}
