import { AsyncLocalStorage } from 'node:async_hooks'
import { type Actor, recorded } from '../domain/actor.ts'

const actors = new AsyncLocalStorage<string>()

/**
 * Whatever `act` writes, this actor did. A transaction tells the database by the setting `vinr.actor`, which the
 * columns that keep an actor have as their default: no command and no ledger function passes it on.
 */
export function actingAs<T>(actor: Actor, act: () => T): T {
  return actors.run(JSON.stringify(recorded(actor)), act)
}

/** The actor as `vinr.actor` has it; undefined where nobody said. */
export const actorNow = (): string | undefined => actors.getStore()
