import { untilSettled } from './behind.ts'
import type { Turn } from './contender.ts'
import { type Calls, callsTo } from './contenders/calls.ts'
import { openBooks, readOutbox } from './contenders/ours.ts'
import { type Product, startProduct } from './contenders/product.ts'
import { openClient, UnexpectedAnswer } from './http.ts'
import { COST } from './ledger.ts'
import { closedTasks, type Sample, summary } from './load.ts'
import { inOwnPlace, type Place } from './place.ts'

/** What one kind of request saw: latencies of all of them, refused ones included. */
export interface Answers extends Sample {
  /** By HTTP status, those that were not 2xx. */
  refused: Record<string, number>
}

export const REQUESTS = ['create', 'credit', 'cancel', 'webhook'] as const
export const REQUEST_NAMES: Record<(typeof REQUESTS)[number], string> = {
  create: 'create',
  credit: 'credit where points expire',
  cancel: 'cancel',
  webhook: 'webhook of a payment',
}
export type Requests = Record<(typeof REQUESTS)[number], Answers>

export interface StoppedResult {
  /** Share of the CPUs that others used before, 0 to 1. */
  busyBefore: number
  running: Requests
  stopped: Requests
}

const HOLD_MS = 30 * 60_000 // no timer fires meanwhile
const MEMBERS = 200 // seldom two requests at once on one account
const POINTS = 1_000_000 // more than all redemptions of a member together
const IN_FLIGHT = 4 // as a shop; the machine is not to be full, or its queues are what is measured
const CALLS = 500 // so that five are beyond the p99
const PREPARE_IN_FLIGHT = 16

/**
 * The same requests with Temporal running and with Temporal stopped where it stands (SIGSTOP), which
 * is worse than a closed port: every call to it waits. Each kind is sent until \`CALLS\` are answered or
 * its time is over. Afterwards Temporal goes on, and every redemption that waits must have its run.
 */
export async function timeStopped(place: Place, durationMs: number): Promise<StoppedResult> {
  const settings = { members: MEMBERS, holdMs: HOLD_MS }
  return await inOwnPlace(place, 'stopped', settings, async (turn, busyBefore) => {
    const product = await startProduct(turn)
    const client = openClient(product.apiUrl)
    try {
      const calls = callsTo(client, product)
      const work = await prepare(calls)
      // in turn, so that what one leaves to Temporal is done before the next begins
      await settled(turn, product)
      const running = await measure(work('running'), durationMs)
      await settled(turn, product)
      product.freezeEngine()
      const stopped = await measure(work('stopped'), durationMs)
      product.thawEngine()
      await settled(turn, product)
      for (const kind of REQUESTS) place.onProgress(describe(kind, running[kind], stopped[kind]))
      return { busyBefore, running, stopped }
    } finally {
      client.close()
      await product.stop()
    }
  })
}

type Work = Record<keyof Requests, (index: number) => Promise<unknown>>

/** Members with points, and redemptions to be canceled and to be paid, for either state. */
async function prepare(calls: Calls): Promise<(state: 'running' | 'stopped') => Work> {
  const program = await calls.createExpiringProgram()
  const spender = await many(MEMBERS, async () => {
    const account = await calls.openAccount()
    await calls.credit(account, POINTS)
    return account
  })
  const held = () => many(CALLS, (index) => calls.redeem(spender(index)))
  // the first credit of each: the one that Temporal must learn a date from
  const earner = {
    running: await many(CALLS, () => calls.openAccount(program)),
    stopped: await many(CALLS, () => calls.openAccount(program)),
  }
  const toCancel = { running: await held(), stopped: await held() }
  const toPay = { running: await held(), stopped: await held() }
  return (state) => ({
    create: (index) => calls.redeem(spender(index)),
    credit: (index) => calls.credit(earner[state](index), COST),
    cancel: (index) => calls.cancel(toCancel[state](index)),
    webhook: (index) => calls.reportPaid(toPay[state](index)),
  })
}

/** The id that `make` answers for each of so many; the first again after the last. */
async function many(count: number, make: (index: number) => Promise<string>) {
  const ids: string[] = []
  await closedTasks(PREPARE_IN_FLIGHT, count, async (index) => {
    ids[index] = await make(index)
  })
  return (index: number) => ids[index % count] ?? ''
}

async function measure(work: Work, durationMs: number): Promise<Requests> {
  return {
    create: await send(work.create, durationMs),
    credit: await send(work.credit, durationMs),
    cancel: await send(work.cancel, durationMs),
    webhook: await send(work.webhook, durationMs),
  }
}

async function send(request: Work['create'], durationMs: number): Promise<Answers> {
  const latencies: number[] = []
  const refused: Answers['refused'] = {}
  const began = performance.now()
  await closedTasks(IN_FLIGHT, CALLS, async (index) => {
    const sent = performance.now()
    if (sent > began + durationMs) return
    try {
      await request(index)
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer)) throw error
      refused[error.status] = (refused[error.status] ?? 0) + 1
    }
    latencies.push(performance.now() - sent)
  })
  return { ...summary(IN_FLIGHT, performance.now() - began, latencies), refused }
}

/** Nothing of the outbox waits, and the redemptions that wait are as many as runs that do. */
async function settled(turn: Turn, product: Product): Promise<void> {
  const books = openBooks(turn.databaseUrl)
  try {
    const waiting = async () => {
      const query = `SELECT count(*) AS n FROM redemption WHERE status = 'pending'`
      return Number((await books.query<{ n: string }>(query)).rows[0]?.n)
    }
    let pending = await waiting()
    const runs = async () => {
      pending = await waiting()
      return await product.redemptionRuns()
    }
    await untilSettled({ outbox: () => readOutbox(books), runs }, (found) => {
      return found.started - found.completed === pending
    })
  } finally {
    await books.end()
  }
}

function describe(kind: string, running: Answers, stopped: Answers): string {
  const [before, after] = [running, stopped].map(({ p50, p99, completed, refused }) => {
    const not = Object.entries(refused).map(([status, times]) => `, ${times} x ${status}`)
    return `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms of ${completed}${not.join('')}`
  })
  return `${kind.padEnd(8)} Temporal running: ${before}; stopped: ${after}`
}
