import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender, Running, Turn } from './contender.ts'
import { busyShare, type CpuTimes, childrenCpu, cpuPerTask, total } from './cpu-time.ts'
import { analyze, createDatabase, settle } from './database.ts'
import { closedLoop, type Sample } from './load.ts'

export interface Settings {
  rounds: number
  /** Requests in flight, one load each. */
  levels: number[]
  warmUpMs: number
  durationMs: number
  members: number
  holdMs: number
}

/** What one load saw, and what one task cost in CPU time on the contender's side and Postgres'. */
export interface Measured extends Sample {
  cpuMs: number | null
  cpuMsByProgram: CpuTimes | null
}

export interface Round {
  /** Share of the CPUs that others used just before, 0 to 1; a high one makes the round suspect. */
  busyBefore: number
  samples: Measured[]
}

export interface Place {
  adminUrl: string
  scratch: string
  onProgress: (line: string) => void
}

/** What a suite does with one contender: a task to repeat, and a check when the load has ended. */
export interface Play {
  task: (member: number) => Promise<void>
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
    const { task, check, stop } = play(running)
    let tasks = 0
    const next = () => task((tasks++ * STRIDE) % settings.members)
    try {
      await closedLoop({ ...ENGINE_WARM_UP, task: next })
      await analyze(turn.databaseUrl) // as a database of some age has its statistics
      const samples: Measured[] = []
      for (const inFlight of settings.levels) {
        const [cpuBefore, tasksBefore] = [childrenCpu(), tasks]
        const sample = await closedLoop({ ...settings, inFlight, task: next })
        if (sample.completed === 0) throw new Error(`nothing completed with ${inFlight} in flight`)
        const cpuMsByProgram = cpuPerTask(cpuBefore, childrenCpu(), tasks - tasksBefore)
        const cpuMs = cpuMsByProgram === null ? null : total(cpuMsByProgram)
        samples.push({ ...sample, cpuMs, cpuMsByProgram })
      }
      await check(tasks)
      return samples
    } finally {
      await stop()
    }
  })
}

/** Starts a contender in a place of its own, and clears everything away afterwards. */
export async function inTurn(
  place: Place,
  contender: Contender,
  settings: Pick<Settings, 'members' | 'holdMs'>,
  label: string,
  act: (running: Running, turn: Turn) => Promise<Measured[]>,
): Promise<Round> {
  const name = `bench_${contender.name}_${label}`.replaceAll('-', '_')
  const database = await createDatabase(place.adminUrl, name)
  const dir = join(place.scratch, name)
  mkdirSync(dir, { recursive: true })
  await settle(place.adminUrl)
  const busyBefore = await busyShare()
  const turn: Turn = { adminUrl: place.adminUrl, databaseUrl: database.url, dir, ...settings }
  try {
    const running = await contender.start(turn)
    try {
      return { busyBefore, samples: await act(running, turn) }
    } finally {
      await running.stop()
    }
  } catch (error) {
    throw new Error(`${contender.name}: ${describeError(error)}`, { cause: error })
  } finally {
    await database.drop()
  }
}

function describe(round: Round): string {
  const samples = round.samples.map(
    ({ inFlight, throughput, p50, cpuMs, cpuMsByProgram }) =>
      `${inFlight}: ${throughput.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, ` +
      `CPU ${cpuMs?.toFixed(1)} ms (${programs(cpuMsByProgram)})`,
  )
  return `others ${(round.busyBefore * 100).toFixed(0)}%\n  ${samples.join('\n  ')}`
}

function programs(times: CpuTimes | null): string {
  const shares = Object.entries(times ?? {}).filter(([, ms]) => ms >= 0.05)
  return shares.map(([program, ms]) => `${program} ${ms.toFixed(1)}`).join(', ')
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
