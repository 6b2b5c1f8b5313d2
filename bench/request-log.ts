import { mkdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { startPostgres } from '../dev/postgres.ts'
import type { Turn } from './contender.ts'
import { type Calls, callsTo } from './contenders/calls.ts'
import { openBooks, readOutbox } from './contenders/ours.ts'
import { type Product, startProduct } from './contenders/product.ts'
import { type CpuTimes, childrenCpu, cpuPerTask, total } from './cpu-time.ts'
import { openClient } from './http.ts'
import { OPENING_BALANCE } from './ledger.ts'
import { closedTasks } from './load.ts'
import { type Machine, thisMachine } from './machine.ts'
import { inOwnPlace } from './place.ts'
import { writeResult } from './results.ts'

/**
 * `npx tsx bench/request-log.ts`: what the request log costs a create in CPU time. Pairs of API processes, one
 * of each without it, over one database, one engine and one worker; the two take turns in many short rounds,
 * so that a busy machine falls on both alike.
 */

const HOLD_MS = 30 * 60_000 // no timer fires meanwhile
const MEMBERS = 200
const WARM_UP = 800 // creates, until the compiler has seen the way
const LOG_WRITTEN_MS = 700 // it writes twice a second

/** CPU milliseconds a create: means, and the standard error of the pairs' differences. */
type Cost = { part: string; offMs: number; onMs: number; difference: number; error: number }

export type RequestLogResult = {
  date: string
  machine: Machine
  /** Pairs of processes, and the rounds of each. */
  settings: { pairs: number; rounds: number; creates: number; inFlight: number }
  cpu: Cost[]
  /** Of what a create costs in all without the log, and its standard error. */
  share: number
  shareError: number
}

const PARTS: Readonly<Record<string, readonly string[]>> = {
  API: ['api/main'],
  Postgres: ['postgres'],
  'API and Postgres': ['api/main', 'postgres'],
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '8' },
      creates: { type: 'string', default: '400' },
      dry: { type: 'boolean', default: false },
    },
  })
  const settings = {
    pairs: Number(values.pairs),
    rounds: Number(values.rounds),
    creates: Number(values.creates),
    inFlight: 8,
  }
  const scratch = resolve(process.env.DATA_DIR || '.data', `bench-request-log-${process.pid}`)
  mkdirSync(scratch, { recursive: true })
  const postgres = await startPostgres({ dataDir: `${scratch}/postgres` })
  const onProgress = (line: string) => void process.stdout.write(`${line}\n`)
  try {
    const place = { adminUrl: postgres.adminUrl, scratch, onProgress }
    const own = { members: MEMBERS, holdMs: HOLD_MS }
    const played = await inOwnPlace(place, 'request_log', own, (turn) => play(turn, settings))
    const result = { date: new Date().toISOString(), machine: thisMachine(), settings, ...played }
    for (const { part, offMs, onMs, difference, error } of result.cpu) {
      const figures = [offMs, onMs, difference, error].map((ms) => ms.toFixed(3))
      onProgress(`${part}: ${figures[0]} off, ${figures[1]} on, ${figures[2]} ± ${figures[3]} ms`)
    }
    onProgress(`${(result.share * 100).toFixed(2)}% of a create`)
    if (values.dry) return
    writeResult('request-log', result)
    const { renderResults } = await import('./render.ts')
    renderResults()
  } finally {
    await postgres.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

type Played = Pick<RequestLogResult, 'cpu' | 'share' | 'shareError'>
type Round = { on: CpuTimes; off: CpuTimes }
type Sending = { product: Product; books: pg.Pool; members: readonly string[] }

async function play(turn: Turn, settings: RequestLogResult['settings']): Promise<Played> {
  const product = await startProduct(turn)
  const books = openBooks(turn.databaseUrl)
  const client = openClient(product.apiUrl)
  try {
    const members = await enrol(callsTo(client, product))
    const pairs: Round[][] = []
    for (let pair = 0; pair < settings.pairs; pair++) {
      pairs.push(await playPair({ product, books, members }, settings, pair % 2 === 0))
    }
    return summary(pairs)
  } finally {
    client.close()
    await books.end()
    await product.stop()
  }
}

/** Rounds of two fresh processes, of which one has the log: no process is quite like another. */
async function playPair(
  { product, books, members }: Sending,
  { rounds, creates, inFlight }: RequestLogResult['settings'],
  isOnFirst: boolean,
): Promise<Round[]> {
  const days = isOnFirst ? ['1', '0'] : ['0', '1']
  const apis = [
    await product.startApi({ REQUEST_LOG_DAYS: days[0] }),
    await product.startApi({ REQUEST_LOG_DAYS: days[1] }),
  ]
  const clients = apis.map(({ origin }) => openClient(origin))
  let next = 0
  const send = async (side: number, count: number) => {
    const client = clients[side]
    if (client === undefined) throw new Error(`no side ${side}`)
    const calls = callsTo(client, product)
    await closedTasks(inFlight, count, async () => {
      await calls.redeem(members[next++ % members.length] ?? '')
    })
    while ((await readOutbox(books)).waiting > 0) await delay(100)
    await delay(LOG_WRITTEN_MS)
  }
  try {
    for (const side of [0, 1]) await send(side, WARM_UP)
    const played: Round[] = []
    for (let round = 0; round < rounds; round++) {
      const costs: CpuTimes[] = []
      // the first of two pays more often for what others left, so they take turns in that too
      for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const before = childrenCpu()
        await send(side, creates)
        costs[side] = cpuPerTask(before, childrenCpu(), creates) ?? {}
      }
      const [first = {}, second = {}] = costs
      played.push(isOnFirst ? { on: first, off: second } : { on: second, off: first })
    }
    return played
  } finally {
    for (const client of clients) client.close()
    for (const api of apis) await api.stop()
  }
}

async function enrol(calls: Calls): Promise<string[]> {
  const members: string[] = []
  await closedTasks(8, MEMBERS, async (member) => {
    const account = await calls.openAccount()
    await calls.credit(account, OPENING_BALANCE)
    members[member] = account
  })
  return members
}

function summary(pairs: readonly (readonly Round[])[]): Played {
  const rounds = pairs.flat()
  const cpu = Object.entries(PARTS).map(([part, programs]) => {
    const of = (times: CpuTimes) => programs.reduce((sum, name) => sum + (times[name] ?? 0), 0)
    const offMs = mean(rounds.map(({ off }) => of(off)))
    const ofPairs = pairs.map((played) => mean(played.map(({ on, off }) => of(on) - of(off))))
    const difference = mean(ofPairs)
    const spread = mean(ofPairs.map((one) => (one - difference) ** 2))
    const error = Math.sqrt(spread / Math.max(1, pairs.length - 1))
    return { part, offMs, onMs: offMs + difference, difference, error }
  })
  const all = mean(rounds.map(({ off }) => total(off)))
  // Temporal and the worker do nothing for the log; their noise would be counted as its cost
  const { difference, error } = cpu.at(-1) ?? { difference: Number.NaN, error: Number.NaN }
  return { cpu, share: difference / all, shareError: error / all }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

if (import.meta.filename === process.argv[1]) await main()
