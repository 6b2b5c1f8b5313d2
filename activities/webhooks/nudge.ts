import type { Pool } from '../../db/pool.ts'
import { listWaitingEndpoints } from '../../db/webhook-deliveries.ts'
import type { Engine } from '../../temporal/engine.ts'
import { nudgeEndpoint } from '../../temporal/webhook.ts'
import { failuresToStandardError, type OnFailure } from '../failures.ts'

/** Says that something was committed in a workspace; its endpoints' runs are woken a moment later. */
export type Nudge = (workspace: string) => void

// All that is committed within this wakes an endpoint once. A tenth of what delivery takes anyway.
const GATHER_MS = 5
// A workspace without endpoints is asked so seldom; its first event after it gets one is at most this late.
const QUIET_MS = 500

type State = { timer: NodeJS.Timeout | null; asking: boolean; again: boolean; quietUntil: number }

/**
 * Wakes the runs of endpoints that have something due, after commits and coalesced. Never fails
 * and is never waited for: a nudge that is lost is found by the net.
 */
export function createNudge({
  pool,
  engine,
  onFailure = failuresToStandardError,
}: {
  pool: Pool
  engine: Engine
  onFailure?: OnFailure | undefined
}): Nudge {
  const states = new Map<string, State>()

  const ask = async (workspace: string, state: State): Promise<void> => {
    state.timer = null
    state.asking = true
    try {
      const { enabled, waiting } = await listWaitingEndpoints(pool, workspace)
      state.quietUntil = enabled === 0 ? Date.now() + QUIET_MS : 0
      await Promise.all(waiting.map((endpoint) => nudgeEndpoint(engine, { workspace, endpoint })))
    } catch (error) {
      // The deliveries are written: the net finds them.
      onFailure({ kind: 'webhook_start', error, about: { workspace } })
    }
    state.asking = false
    if (state.again) plan(workspace, state)
    else if (state.quietUntil === 0) states.delete(workspace)
  }
  const plan = (workspace: string, state: State): void => {
    state.again = false
    const wait = Math.max(GATHER_MS, state.quietUntil - Date.now())
    state.timer = setTimeout(() => void ask(workspace, state), wait)
    state.timer.unref()
  }
  return (workspace) => {
    const known = states.get(workspace)
    const state = known ?? { timer: null, asking: false, again: false, quietUntil: 0 }
    if (known === undefined) states.set(workspace, state)
    if (state.asking) state.again = true
    else if (state.timer === null) plan(workspace, state)
  }
}

/** The same activities, each followed by a nudge for the workspace that its first argument names. */
export function nudging<A extends object>(activities: A, nudge: Nudge | undefined): A {
  if (nudge === undefined) return activities
  return new Proxy(activities, {
    get(target, name, receiver) {
      const activity: unknown = Reflect.get(target, name, receiver)
      if (typeof activity !== 'function') return activity
      return async (...args: unknown[]) => {
        const result: unknown = await Reflect.apply(activity, target, args)
        const [first] = args
        if (isInWorkspace(first)) nudge(first.workspace)
        return result
      }
    },
  })
}

const isInWorkspace = (value: unknown): value is { workspace: string } =>
  typeof value === 'object' &&
  value !== null &&
  'workspace' in value &&
  typeof value.workspace === 'string'
