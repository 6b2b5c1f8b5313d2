import type { OnFailure } from '../domain/failure.ts'
import { isAway } from '../domain/unavailable.ts'

/** What became of the rows that were found: done, or passed over because they could not be. */
export type RowsDone = { done: number; passedOver: number }

// Found at once, at most.
const PAGE = 500

type Options = {
  kind: string
  onFailure: OnFailure
  /** No further row is begun after it, by `performance.now()`. */
  untilMs?: number
}

/**
 * Does `act` to one row after the other. A row that cannot be done is counted, logged and passed over:
 * those behind it do not wait for it. Throws where Postgres or Temporal is away, which is no row's doing.
 */
export async function eachRow<Row extends Readonly<Record<string, string | Date>>>(
  rows: readonly Row[],
  act: (row: Row) => Promise<unknown>,
  { kind, onFailure, untilMs = Number.POSITIVE_INFINITY }: Options,
): Promise<RowsDone> {
  let done = 0
  let passedOver = 0
  for (const row of rows) {
    if (performance.now() >= untilMs) break
    try {
      await act(row)
      done++
    } catch (error) {
      if (isAway(error)) throw error
      passedOver++
      onFailure({ kind, error, about: idsOf(row) })
    }
  }
  return { done, passedOver }
}

function idsOf(row: Readonly<Record<string, string | Date>>): Record<string, string> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)]))
}

type Find<Row> = (limit: number, skip: number) => Promise<Row[]>

/**
 * Finds rows and does them, `most` at most and until `untilMs` (of `performance.now()`). Those passed
 * over stay the first that are found, and are skipped, so that however many of them there are they hide
 * nothing behind them. `remains`: those done are still found as well, until their own run gets to them.
 */
export async function workOff<Row extends Readonly<Record<string, string | Date>>>(
  find: Find<Row>,
  act: (row: Row) => Promise<unknown>,
  options: Options & { most: number; untilMs: number; remains?: boolean },
): Promise<RowsDone> {
  const { most, untilMs, remains = false } = options
  let done = 0
  let passedOver = 0
  while (done < most && performance.now() < untilMs) {
    const limit = Math.min(most - done, PAGE)
    const rows = await find(limit, remains ? done + passedOver : passedOver)
    const now = await eachRow(rows, act, options)
    done += now.done
    passedOver += now.passedOver
    if (rows.length < limit) break
  }
  return { done, passedOver }
}
