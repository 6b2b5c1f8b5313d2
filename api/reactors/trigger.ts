import { findEventType } from '../../db/event-types.ts'
import { readReactorCount } from '../../db/reactors.ts'
import { findReward, type RewardRow } from '../../db/rewards.ts'
import { isIntrinsic } from '../../domain/event-type.ts'
import type { Reaction } from '../../domain/reactor.ts'
import { refuse } from '../../domain/refusal.ts'
import { missing } from '../points-refusal.ts'
import type { Deps } from '../server/deps.ts'

// Every event of the type is shown to each of them, while the till waits.
const MOST_OF_A_TYPE = 50

/** Refuses a trigger that no till can report, or that has as many reactors as it may. */
export async function checkTrigger(deps: Deps, workspace: string, trigger: string): Promise<void> {
  if (isIntrinsic(trigger)) {
    const message = `trigger: ${trigger} is the platform's own; earning rules and webhooks follow those.`
    refuse('parameter_invalid', message, { param: 'trigger' })
  }
  const type = await findEventType(deps.pool, workspace, trigger)
  if (type === undefined || type.name !== trigger) missing('trigger', trigger)
  if ((await readReactorCount(deps.pool, workspace, trigger)) >= MOST_OF_A_TYPE) {
    const message = `trigger: has ${MOST_OF_A_TYPE} reactors already.`
    refuse('parameter_invalid', message, { param: 'trigger' })
  }
}

/** Refuses a reaction that would speak in the platform's name, or give a reward that cannot be given. */
export async function checkReactions(
  { pool }: Deps,
  workspace: string,
  reactions: readonly Reaction[],
): Promise<void> {
  for (const [index, reaction] of reactions.entries()) {
    if (reaction.type === 'issue_reward') {
      const row = await findReward(pool, workspace, reaction.reward)
      checkGift(row, reaction, `reactions.${index}`)
    }
    if (reaction.type === 'emit_event' && isIntrinsic(reaction.event)) {
      refuse('event_type_intrinsic', `${reaction.event} is a type of the platform's own.`, {
        param: `reactions.${index}.event`,
      })
    }
  }
}

type Gift = Extract<Reaction, { type: 'issue_reward' }>

function checkGift(row: RewardRow | undefined, { reward, quantity }: Gift, at: string): void {
  if (row === undefined) missing(`${at}.reward`, reward)
  if (row.hasVariants) {
    const message = `${at}.reward: has variants, and a reactor gives none of them.`
    refuse('parameter_invalid', message, { param: `${at}.reward` })
  }
  if (row.type === 'discount_percent' && quantity > 1) {
    const message = `${at}.quantity: a percentage is given once.`
    refuse('parameter_invalid', message, { param: `${at}.quantity` })
  }
}
