const REMIND_EVERY_MS = 5_000 // long enough to stay quiet on a warm machine

export type Progress = {
  line(text: string): void
  /** Says every few seconds that this is still going on, until the promise settles. */
  during<T>(what: string, work: Promise<T>): Promise<T>
}

/** Lines on standard output, each with the seconds since the start. */
export function startProgress(): Progress {
  const started = performance.now()
  // A terminal that is closed takes its output with it; the stack still has to stop in order.
  process.stdout.on('error', () => {})
  const line = (text: string) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5)
    process.stdout.write(`${seconds} s  ${text}\n`)
  }
  const during = async <T>(what: string, work: Promise<T>) => {
    const reminder = setInterval(() => line(`Still ${what}`), REMIND_EVERY_MS)
    return await work.finally(() => clearInterval(reminder))
  }
  return { line, during }
}
