import type { Pool } from '../db/pool.ts'
import { readQuote } from '../db/redemptions.ts'
import type { FoundEvent } from '../db/reported-events.ts'
import type { CodeVault } from '../domain/gift-card.ts'
import { derivedId } from '../domain/ids.ts'
import type { PlannedReward } from '../domain/reactor.ts'
import { newCode, newCodes } from './redemption-codes.ts'
import type { EventReport, Prepare } from './reported-events.ts'

type GiftContext = {
  readonly pool: Pool
  readonly codes: CodeVault | undefined
  readonly holdMinutes: number
}

/**
 * Readies the rewards that an event's reactors give, which are redemptions of the event's own transaction. Each has
 * an id of its own that every try of the event shares, so that it is given once.
 */
export function prepareGifts(context: GiftContext, report: EventReport): Prepare {
  const prepare = async (gift: PlannedReward, key: string, found: FoundEvent) => {
    const { workspace, eventId } = report
    const codes = await codesFor(context, report, gift, found)
    return {
      ...gift,
      redemption: derivedId('rdm', workspace, 'gift', eventId, key),
      code: newCode(),
      hold_minutes: context.holdMinutes,
      ...(codes !== undefined && { codes }),
    }
  }
  return (plan, found) =>
    Promise.all(
      plan.map(async (planned) => ({
        ...planned,
        reactions: await Promise.all(
          planned.reactions.map(async (reaction, index) =>
            reaction.type === 'issue_reward'
              ? prepare(reaction, `${planned.reactor}/${index}`, found)
              : reaction,
          ),
        ),
      })),
    )
}

/** Codes made for a gift card that may be given and has none of its own; who decides is the ledger. */
async function codesFor(
  context: GiftContext,
  { workspace, user }: EventReport,
  { reward, quantity }: PlannedReward,
  found: FoundEvent,
) {
  const account = found.account ?? user
  const request = { workspace, account, reward, quantity, holdMinutes: context.holdMinutes }
  const quote = await readQuote(context.pool, request)
  // a gift costs nothing: too few points keep nobody from it
  const isRefused =
    quote.outcome === 'missing' || quote.refusals.some(({ code }) => code !== 'insufficient_points')
  return isRefused ? undefined : newCodes(context.codes, workspace, quote.codes, quantity)
}
