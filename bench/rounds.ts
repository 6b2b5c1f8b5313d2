import { setTimeout as delay } from 'node:timers/promises'
import { type Look, watchOutbox } from './behind.ts'
import type { Contender, Outbox, Running, Runs, Turn } from './contender.ts'
import { type CpuTimes, childrenCpu, cpuPerTask, total } from './cpu-time.ts'
import { analyze } from './database.ts'
import { closedLoop, type LoadOptions, type Sample } from './load.ts'
import { inOwnPlace, type Place } from './place.ts'

export interface Settings {
  rounds: number
  /** Requests in flight, one load each. */
  levels: number[]
  warmUpMs: number
  durationMs: number
  members: number
  holdMs: number
  /** Counts a task only where the engine has done its share of it within the window. */
  sustained: boolean
}

/**
 * What one load saw, and what one task cost in CPU time on the contender's side and Postgres',
 * counted until the engine had done its share as well.
 */
export interface Measured extends Sample {
  cpuMs: number | null
  cpuMsByProgram: CpuTimes | null
  /** What was answered and still stood before the engine at the end; null where nothing can. */
  behind: (Outbox & { settledMs: number }) | null
  /** Answers per second of a sustained load, whose `throughput` counts what the engine has done. */
  answered?: number
  /** Of a sustained load. */
  looks?: Look[]
}

export interface Round {
  /** Share of the CPUs that others used just before, 0 to 1; a high one makes the round suspect. */
  busyBefore: number
  samples: Measured[]
}

/** What a suite does with one contender: a task to repeat, and a check when the load has ended. */
export interface Play {
  task: (member: number) => Promise<void>
  /** How many tasks the engine has done its share of. */
  done: (runs: Runs) => number
  /** Resolves when the engine has done its share of all these tasks. */
  settled: (tasks: number) => Promise<void>
  /** Rejects where the contender's stores do not agree with what was asked of it. */
  check: (tasks: number) => Promise<void>
  stop: () => Promise<void>
}

const ENGINE_WARM_UP = { inFlight: 8, warmUpMs: 0, durationMs: 2_000 } // compiles the hot paths
const STRIDE = 7_919 // a prime: neighbours in time are not neighbours in the table

/**
 * Lets each contender play once a round, alone on the machine, on an empty database and a fresh
 * engine; the order turns from round to round, so that a noisy minute does not always hit the same.
 */
export async function playRounds(
  place: Place,
  contenders: Contender[],
  settings: Settings,
  play: (running: Running) => Play,
): Promise<Map<Contender, Round[]>> {
  const rounds = new Map(contenders.map((contender): [Contender, Round[]] => [contender, []]))
  for (let round = 0; round < settings.rounds; round++) {
    const turn = round % contenders.length
    for (const contender of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      const played = await takeTurn(place, contender, settings, play, round)
      rounds.get(contender)?.push(played)
      place.onProgress(`round ${round + 1}  ${contender.name.padEnd(16)}${describe(played)}`)
    }
  }
  return rounds
}

async function takeTurn(
  place: Place,
  contender: Contender,
  settings: Settings,
  play: (running: Running) => Play,
  round: number,
): Promise<Round> {
  return await inTurn(place, contender, settings, `${round}`, async (running, turn) => {
    const played = play(running)
    let tasks = 0
    const task = () => played.task((tasks++ * STRIDE) % settings.members)
    try {
      await closedLoop({ ...ENGINE_WARM_UP, task })
      await analyze(turn.databaseUrl) // as a database of some age has its statistics
      await played.settled(tasks)
      const samples: Measured[] = []
      for (const inFlight of settings.levels) {
        const [cpuBefore, tasksBefore] = [childrenCpu(), tasks]
        const load = { ...settings, inFlight, task }
        const sample = settings.sustained
          ? await sustainedLoop(load, running, played)
          : await closedLoop(load)
        if (sample.completed === 0) throw new Error(`nothing completed with ${inFlight} in flight`)
        const behind = await settle(running, () => played.settled(tasks))
        const cpuMsByProgram = cpuPerTask(cpuBefore, childrenCpu(), tasks - tasksBefore)
        const cpuMs = cpuMsByProgram === null ? null : total(cpuMsByProgram)
        samples.push({ ...sample, cpuMs, cpuMsByProgram, behind })
      }
      await played.check(tasks)
      return samples
    } finally {
      await played.stop()
    }
  })
}

/** How far the engine is behind, and how long it takes to come up: no level leaves its rest to the next. */
async function settle(
  { outbox }: Running,
  settled: () => Promise<void>,
): Promise<Measured['behind']> {
  if (outbox === undefined) return null
  const began = performance.now()
  const atEnd = await outbox()
  await settled()
  return { ...atEnd, settledMs: performance.now() - began }
}

/**
 * A closed loop by answers, from an engine that has nothing left to do. What counts is what was
 * answered and done by the engine when the window ends; where an answer implies the engine's share,
 * what was answered.
 */
async function sustainedLoop(
  load: LoadOptions,
  running: Running,
  { done }: Play,
): Promise<Sample & Pick<Measured, 'answered' | 'looks'>> {
  const { durationMs } = load
  const before = await running.runs?.()
  const [sample, looks, after] = await Promise.all([
    closedLoop({ ...load, warmUpMs: 0 }),
    watchOutbox(running, durationMs),
    delay(durationMs).then(() => running.runs?.()),
  ])
  const { completed, throughput: answered } = sample
  if (before === undefined || after === undefined) return { ...sample, answered, looks }
  const counted = Math.min(completed, done(after) - done(before))
  const throughput = (counted * 1_000) / durationMs
  return { ...sample, completed: counted, throughput, answered, looks }
}

/** Starts a contender in a place of its own, and clears everything away afterwards. */
export async function inTurn(
  place: Place,
  contender: Contender,
  settings: Pick<Settings, 'members' | 'holdMs'>,
  label: string,
  act: (running: Running, turn: Turn) => Promise<Measured[]>,
): Promise<Round> {
  return await inOwnPlace(
    place,
    `${contender.name}_${label}`,
    settings,
    async (turn, busyBefore) => {
      const running = await contender.start(turn)
      try {
        return { busyBefore, samples: await act(running, turn) }
      } finally {
        await running.stop()
      }
    },
  )
}

function describe(round: Round): string {
  const samples = round.samples.map(
    ({ inFlight, throughput, answered, p50, cpuMs, cpuMsByProgram, behind }) =>
      `${inFlight}: ${throughput.toFixed(0)}/s, ` +
      (answered === undefined ? '' : `${answered.toFixed(0)}/s answered, `) +
      `p50 ${p50.toFixed(1)} ms, CPU ${cpuMs?.toFixed(1)} ms (${programs(cpuMsByProgram)})` +
      (behind === null ? '' : `, ${describeBehind(behind)}`),
  )
  return `others ${(round.busyBefore * 100).toFixed(0)}%\n  ${samples.join('\n  ')}`
}

function describeBehind({ waiting, oldestMs, settledMs }: NonNullable<Measured['behind']>): string {
  const [age, rest] = [oldestMs, settledMs].map((ms) => (ms / 1_000).toFixed(1))
  return `outbox ${waiting} waiting, oldest ${age} s, done ${rest} s later`
}

function programs(times: CpuTimes | null): string {
  const shares = Object.entries(times ?? {}).filter(([, ms]) => ms >= 0.05)
  return shares.map(([program, ms]) => `${program} ${ms.toFixed(1)}`).join(', ')
}
