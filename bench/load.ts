export interface LoadOptions {
  inFlight: number
  /** Not counted. Milliseconds. */
  warmUpMs: number
  /** Milliseconds that are counted. */
  durationMs: number
  /** One request or cycle; a rejection ends the load. */
  task: () => Promise<void>
}

/** What one load saw; latencies in milliseconds, throughput in completions per second. */
export interface Sample {
  inFlight: number
  completed: number
  throughput: number
  p50: number
  p90: number
  p99: number
}

/**
 * Closed loop: as many tasks in flight as said, each followed at once by the next. Counted is what
 * completes inside the window, so that neither the ramp-up nor the tail flatters anybody.
 */
export async function closedLoop(options: LoadOptions): Promise<Sample> {
  const { inFlight, warmUpMs, durationMs, task } = options
  const from = performance.now() + warmUpMs
  const until = from + durationMs
  const latencies: number[] = []
  const failure = new AbortController()

  async function loop(): Promise<void> {
    while (!failure.signal.aborted) {
      const started = performance.now()
      if (started >= until) return
      await task()
      const ended = performance.now()
      if (ended >= from && ended < until) latencies.push(ended - started)
    }
  }

  const loops = Array.from({ length: inFlight }, () =>
    loop().catch((error: unknown) => failure.abort(error)),
  )
  await Promise.all(loops)
  failure.signal.throwIfAborted()
  return summary(inFlight, durationMs, latencies)
}

/** Runs `count` tasks, so many at a time. */
export async function closedTasks(
  inFlight: number,
  count: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const loop = async () => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
}

/** Percentiles of latencies (milliseconds) that were seen within `durationMs`. */
export function summary(inFlight: number, durationMs: number, latencies: number[]): Sample {
  latencies.sort((a, b) => a - b)
  return {
    inFlight,
    completed: latencies.length,
    throughput: (latencies.length * 1_000) / durationMs,
    p50: percentile(latencies, 0.5),
    p90: percentile(latencies, 0.9),
    p99: percentile(latencies, 0.99),
  }
}

/** Nearest rank; `sorted` is ascending. NaN for none. */
function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(sorted.length * share))
  return sorted[rank - 1] ?? Number.NaN
}

/** The middle one, or the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN
  return (lower + upper) / 2
}
