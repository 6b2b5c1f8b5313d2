import { findEventType, lockEventType } from '../db/event-types.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import type { Pool } from '../db/pool.ts'
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
import type { Db } from '../db/workspace-client.ts'
import { isIntrinsic } from '../domain/event.ts'
import type { Reaction } from '../domain/reactor.ts'
import { refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'
import { missing } from './refusals.ts'

/** The writers of reactors. */
export function reactorCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Refused: a trigger whose event type has as many as it may, and reactions that cannot be had. */
    createReactor: (request: RequestIdentity, values: NewReactor): Promise<Written<ReactorRow>> => {
      const { workspace } = request
      return idempotent(pool, request, {
        noun: 'reactor',
        id: values.id,
        prepare: async () => {
          await checkTrigger(pool, workspace, values.trigger)
          await checkReactions(pool, workspace, values.reactions)
          return async (tx) => {
            await lockEventType(tx, workspace, values.trigger) // of two at once one counts the other
            await refuseOneTooMany(tx, values)
            return insertReactor(tx, values)
          }
        },
        find: lockReactor,
      })
    },

    /** What `changeOf` makes of the reactor as it is, under its lock; `reactions`: those that it will have, where they change. */
    updateReactor: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: ReactorRow) => ReactorChange,
      reactions: readonly Reaction[] = [],
    ): Promise<Written<ReactorRow>> =>
      changeOnce(pool, request, {
        noun: 'reactor',
        id,
        lock: lockReactor,
        prepare: async () => {
          await checkReactions(pool, request.workspace, reactions)
          return (tx, before) => updateReactor(tx, request.workspace, id, changeOf(before))
        },
      }),

    /** Its id. */
    deleteReactor: (request: RequestIdentity, id: string): Promise<Written<string>> =>
      idempotent(pool, request, {
        noun: 'reactor',
        id,
        write: async (tx) => {
          const before = await lockReactor(tx, request.workspace, id)
          if (before !== undefined) await removeReactor(tx, request.workspace, id)
          return before?.id
        },
        find: async (_db, _workspace, deleted) => deleted,
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

/** Refuses a trigger that no till can report. */
async function checkTrigger(pool: Pool, workspace: string, trigger: string): Promise<void> {
  if (isIntrinsic(trigger)) {
    const message = `trigger: ${trigger} is the platform's own; earning rules and webhooks follow those.`
    refuse('parameter_invalid', message, { param: 'trigger' })
  }
  const type = await findEventType(pool, workspace, trigger)
  if (type?.name !== trigger) missing('trigger', trigger)
}

/** Refuses a reaction that would speak in the platform's name, or give a reward that cannot be given. */
async function checkReactions(
  pool: Pool,
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
