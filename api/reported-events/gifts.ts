import type { EventReport, Reported } from '../../activities/reported-event.ts'
import { type FoundEvent, readReportedEvent } from '../../db/reported-events.ts'
import { derivedId } from '../../domain/ids.ts'
import type { Planned, PlannedReward } from '../../domain/reactor.ts'
import { armRedemption, signalCreated } from '../../temporal/redemption.ts'
import type { Deps } from '../deps.ts'
import { orOutage } from '../outage.ts'
import { newCode, runOf, waits } from '../redemptions/begin.ts'
import { endSoon } from '../redemptions/end-soon.ts'
import { newCodes } from '../redemptions/gift-cards.ts'
import { type Judged, precheckAsked } from '../redemptions/judge.ts'

type Armed = { input: Parameters<typeof armRedemption>[1]; isNew: boolean }

/**
 * The rewards that an event's reactors give: arm, then act, as any redemption. Each has an id of its own
 * that every try of the event shares, so that it is armed and given once.
 */
export function giftsOf(deps: Deps, report: EventReport) {
  const armed = new Map<string, Armed>()
  const prepareOne = async (gift: PlannedReward, key: string, found: FoundEvent) => {
    const { workspace, eventId, dryRun } = report
    const redemption = derivedId('rdm', workspace, 'gift', eventId, key)
    const { judged, refusal } = await judgeGift(deps, report, gift, found)
    if (judged === undefined) return { ...gift, redemption, refusal }
    const codes = newCodes(deps, workspace, judged.codes, gift.quantity)
    const { input, waitMs, expiresAt, windowMs } = runOf(workspace, redemption, gift.reward, judged)
    if (waits(judged) && !dryRun) {
      const isNew = await orOutage(
        'The event could not be begun. Nothing was written; try again.',
        () => armRedemption(deps.engine, input, waitMs),
      )
      armed.set(redemption, { input, isNew })
    }
    const artifact = {
      code: newCode(),
      expires_at: waits(judged) ? expiresAt : null,
      window_ms: windowMs,
    }
    return { ...gift, redemption, ...artifact, ...(codes !== undefined && { codes }) }
  }
  return {
    /** The plan with what its rewards need; their runs are armed. */
    prepare: (plan: readonly Planned[], found: FoundEvent): Promise<Planned[]> =>
      Promise.all(
        plan.map(async (planned) => ({
          ...planned,
          reactions: await Promise.all(
            planned.reactions.map(async (reaction, index) =>
              reaction.type === 'issue_reward'
                ? prepareOne(reaction, `${planned.reactor}/${index}`, found)
                : reaction,
            ),
          ),
        })),
      ),

    /**
     * A run that an earlier try armed may have looked already: it is told to look again. One armed for
     * days, for an item that was not given after all, is told so that it ends soon.
     */
    settle: async (reported: Reported) => {
      if (armed.size === 0) return
      const given = givenBy(reported)
      const again = [...armed].filter(([redemption, { isNew }]) => given.has(redemption) && !isNew)
      await Promise.all(again.map(([, { input }]) => signalCreated(deps.engine, input)))
      const forNothing = [...armed].flatMap(([redemption, { input }]) =>
        !given.has(redemption) && 'deadline' in input ? [input] : [],
      )
      await endSoon(deps, forNothing)
    },
  }
}

type JudgedGift =
  | { judged: Judged; refusal?: undefined }
  | { judged?: undefined; refusal: { code: string } }

// A gift costs nothing: too few points keep nobody from it.
async function judgeGift(
  deps: Deps,
  { workspace, user }: EventReport,
  { reward, quantity }: PlannedReward,
  found: FoundEvent,
): Promise<JudgedGift> {
  const account = found.account ?? user
  // whether it was given already is told by the event
  const judged = await precheckAsked(deps, workspace, { account, reward, quantity })
  if (judged.outcome !== 'judged' || !judged.same_program) {
    return { refusal: noSuch(reward) }
  }
  const [refusal] = judged.refusals.filter(({ code }) => code !== 'insufficient_points')
  return refusal === undefined ? { judged } : { refusal }
}

const noSuch = (reward: string) => ({ code: 'resource_missing', reward })

function givenBy(reported: Reported): Set<string | undefined> {
  if (reported.outcome !== 'processed' && reported.outcome !== 'replayed') return new Set()
  const { outcomes } = readReportedEvent(reported.event)
  return new Set(outcomes.flatMap(({ reactions }) => reactions.map(({ redemption }) => redemption)))
}
