import { AsyncLocalStorage } from 'node:async_hooks'
import { failuresToStandardError, type OnFailure } from '../app/failures.ts'
import { until } from '../temporal/engine.ts'

// What follows a commit keeps its request so long at most, in all: the write stands, and somebody else
// looks after what was not said to Temporal. A start takes some milliseconds.
const REQUEST_MS = 1_000
// At once. More only make each other wait, and other requests.
const LANES = 32

/** Until when the follow-ups of a request may go on, by `Date.now()`; none yet, where it has made none. */
type Request = { untilMs?: number }

const requests = new AsyncLocalStorage<Request>()

/** Runs a request, whose follow-ups share one second. Without it, each `followUp` has one of its own. */
export const asRequest = <T>(handle: () => T): T => requests.run({}, handle)

/**
 * Says to Temporal what a commit brings with it: all calls at once, for a second at most. A failure is
 * none of the write, which stands; it is counted and logged, and the reconciler looks for what was not said.
 */
export async function followUp<About>(
  all: readonly About[],
  send: (one: About) => Promise<unknown>,
  {
    kind,
    about,
    onFailure = failuresToStandardError,
  }: { kind: string; about: Record<string, string>; onFailure?: OnFailure | undefined },
): Promise<void> {
  if (all.length === 0) return
  const request = requests.getStore() ?? {}
  request.untilMs ??= Date.now() + REQUEST_MS
  const { untilMs } = request
  const waiting = [...all]
  const errors: unknown[] = []
  const lane = async () => {
    while (Date.now() < untilMs) {
      const [one] = waiting.splice(0, 1)
      if (one === undefined) return
      await until(untilMs, () => send(one)).catch((error: unknown) => errors.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(LANES, all.length) }, lane))
  const left = errors.length + waiting.length
  if (left === 0) return
  const error = errors[0] ?? new Error(`there was no time left for it`)
  onFailure({ kind, error, about: { ...about, left: String(left), of: String(all.length) } })
}
