import type pg from 'pg'
import { closedLoop, type Sample, summary } from './load.ts'

const LOOK_MS = 4 // how often the points are looked for; the figure's resolution

const DRAIN_MS = 120_000 // several times what the slowest needs for some thousand payments

/** A load of payment webhooks: from the request to its answer, and to the points in the ledger. */
export interface Level {
  /** One webhook follows the other's answer, whatever becomes of its points. */
  accepted: Sample
  /** One webhook follows the other's points. */
  visible: Sample
  /** The answers of these. */
  answered: Sample
}

export interface Webhooks {
  /** Sends the completion of a new payment; resolves with the payment's id once it is answered. */
  send(): Promise<string>
  /** Which of these payments have their points ($1: ids; column `payment`). */
  earnedQuery: string
  books: pg.Pool
}

export async function measureLevel(
  { send, earnedQuery, books }: Webhooks,
  load: { inFlight: number; warmUpMs: number; durationMs: number },
): Promise<Level> {
  const watch = watchPoints(books, earnedQuery)
  const payments: string[] = []
  const accepted = await closedLoop({
    ...load,
    task: async () => {
      payments.push(await send())
    },
  })
  // nothing of it weighs on the next; points that never come are an error
  await within(DRAIN_MS, Promise.all(payments.map((payment) => watch.until(payment))))
  const answers: number[] = []
  const visible = await closedLoop({
    ...load,
    task: async () => {
      const started = performance.now()
      const payment = await send()
      answers.push(performance.now() - started)
      await watch.until(payment)
    },
  })
  await watch.stop()
  return { accepted, visible, answered: summary(load.inFlight, load.durationMs, answers) }
}

async function within(ms: number, all: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`points are missing after ${ms} ms`)), ms)
  })
  await Promise.race([all, late]).finally(() => clearTimeout(timer))
}

/** Resolves for each payment once its points are there. */
function watchPoints(books: pg.Pool, text: string) {
  const waiting = new Map<string, () => void>()
  let isStopped = false
  const look = async (): Promise<void> => {
    while (!isStopped) {
      if (waiting.size > 0) {
        const { rows } = await books.query<{ payment: string }>({
          name: 'earned',
          text,
          values: [[...waiting.keys()]],
        })
        for (const { payment } of rows) {
          waiting.get(payment)?.()
          waiting.delete(payment)
        }
      }
      await new Promise((done) => setTimeout(done, LOOK_MS))
    }
  }
  const looking = look()
  return {
    until: (payment: string) => new Promise<void>((done) => waiting.set(payment, done)),
    stop: () => {
      isStopped = true
      return looking
    },
  }
}
