import { findEventType, lockEventType } from '../db/event-types.ts'
import { changeOnce, claimKey, type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import {
  insertReactor,
  lockReactor,
  type NewReactor,
  type ReactorChange,
  type ReactorRow,
  readReactorCount,
  removeReactor,
  updateReactor,
} from '../db/reactors.ts'
import { findReward, type RewardRow } from '../db/rewards.ts'
import { type Db, transact } from '../db/workspace-client.ts'
import { isIntrinsic } from '../domain/event.ts'
import type { Reaction } from '../domain/reactor.ts'
import { refuse } from '../domain/refusal.ts'
import type { Creation } from './accounts.ts'
import type { Dependencies } from './dependencies.ts'
import { missing } from './refusals.ts'

/** The writers of reactors. */
export function reactorCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** `eventType`: the id of its trigger's, which has room for it or this is refused. */
    createReactor: (
      request: RequestIdentity,
      values: NewReactor,
      eventType: string,
    ): Promise<Creation<ReactorRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        if (replayOf !== undefined) return { replayOf }
        await lockEventType(tx, request.workspace, eventType) // of two at once one counts the other
        await refuseOneTooMany(tx, values)
        return { row: await insertReactor(tx, values) }
      }),

    /** What `changeOf` makes of the reactor as it is, under its lock; undefined where there is none. */
    updateReactor: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: ReactorRow) => ReactorChange,
    ) =>
      changeOnce(pool, request, id, lockReactor, (tx, before) =>
        updateReactor(tx, request.workspace, id, changeOf(before)),
      ),

    /** Its id; undefined where there is no such reactor. */
    deleteReactor: (request: RequestIdentity, id: string) =>
      writeOnce<string | undefined>(pool, request, {
        resource: id,
        first: async (tx) => {
          const before = await lockReactor(tx, request.workspace, id)
          if (before !== undefined) await removeReactor(tx, request.workspace, id)
          return before?.id
        },
        again: async (_tx, deleted) => deleted,
      }),
  }
}

// Every event of the type is shown to each of them, while the till waits.
const MOST_OF_A_TYPE = 50

async function refuseOneTooMany(tx: Db, { workspace, trigger }: NewReactor): Promise<void> {
  if ((await readReactorCount(tx, workspace, trigger)) < MOST_OF_A_TYPE) return
  const message = `trigger: has ${MOST_OF_A_TYPE} reactors already.`
  refuse('parameter_invalid', message, { param: 'trigger' })
}

/** The id of a trigger's event type; refuses one that no till can report. */
export async function eventTypeOfTrigger(
  { pool }: Pick<Dependencies, 'pool'>,
  workspace: string,
  trigger: string,
): Promise<string> {
  if (isIntrinsic(trigger)) {
    const message = `trigger: ${trigger} is the platform's own; earning rules and webhooks follow those.`
    refuse('parameter_invalid', message, { param: 'trigger' })
  }
  const type = await findEventType(pool, workspace, trigger)
  if (type === undefined || type.name !== trigger) return missing('trigger', trigger)
  return type.id
}

/** Refuses a reaction that would speak in the platform's name, or give a reward that cannot be given. */
export async function checkReactions(
  { pool }: Pick<Dependencies, 'pool'>,
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
