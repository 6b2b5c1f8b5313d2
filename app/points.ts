import type { WalletView } from '../db/members.ts'
import type { Pool } from '../db/pool.ts'
import { findProgram, listPrograms, type ProgramRow } from '../db/programs.ts'
import {
  MAX_MOVEMENT,
  type PointRate,
  type Rounding,
  rateOfProgram,
  rateOfSetting,
  unitsOf,
} from '../domain/points.ts'
import { refuse } from '../domain/refusal.ts'
import { ttlCache } from './ttl-cache.ts'

/**
 * Points moved, in the program's smallest unit, rounded by its mode. Refuses
 * invalid_precision where nothing is left, parameter_invalid beyond MAX_MOVEMENT.
 */
export function movementUnits(
  param: string,
  points: number,
  decimals: number,
  rounding: Rounding,
): number {
  const { units } = unitsOf(points, decimals, rounding)
  if (units === 0) {
    refuse('invalid_precision', `${param}: nothing is left of it in ${decimals} decimals.`, {
      param,
    })
  }
  return withinReach(param, units)
}

/** Points that must be exact, in the program's smallest unit; refuses invalid_precision where they are not. */
export function exactUnits(param: string, points: number, decimals: number): number {
  const { units, exact } = unitsOf(points, decimals, 'down')
  if (!exact) {
    refuse('invalid_precision', `${param}: the program has ${decimals} decimals.`, { param })
  }
  return withinReach(param, units)
}

function withinReach(param: string, units: number): number {
  if (Math.abs(units) > MAX_MOVEMENT) {
    refuse('parameter_invalid', `${param}: is larger than any movement may be.`, { param })
  }
  return units
}

/** The decimals to print a program's points with. For printing only: a write reads its program fresh. */
export type Decimals = {
  ofProgram(workspace: string, program: string): Promise<number>
  ofPrograms(workspace: string, programs: readonly string[]): Promise<(program: string) => number>
  /** Whether members of the program have tiers. */
  hasTiers(workspace: string, program: string): Promise<boolean>
  /** What this process has changed is printed by it at once. */
  forget(workspace: string): void
}

// Decimals change only before a program's first transaction; another process's print may be this much behind.
const PROGRAMS_MS = 2_000
const MOST_WORKSPACES = 1_000

export function decimalsFrom(pool: Pool): Decimals {
  const programs = ttlCache((workspace) => listPrograms(pool, workspace), {
    ttlMs: PROGRAMS_MS,
    most: MOST_WORKSPACES,
  })
  // A program younger than the list is asked for: another's decimals would print its points a hundredfold.
  const find = async (workspace: string, program: string): Promise<ProgramRow> => {
    const known = (await programs(workspace)).find(({ id }) => id === program)
    const row = known ?? (await findProgram(pool, workspace, program))
    if (row === undefined) throw new Error(`no program ${program}`)
    return row
  }
  const ofProgram = async (workspace: string, program: string): Promise<number> =>
    (await find(workspace, program)).decimals
  return {
    ofProgram,
    ofPrograms: async (workspace, asked) => {
      const found = new Map<string, number>()
      for (const program of new Set(asked)) found.set(program, await ofProgram(workspace, program))
      return (program) => {
        const decimals = found.get(program)
        if (decimals === undefined) throw new Error(`the decimals of ${program} were not asked for`)
        return decimals
      }
    },
    hasTiers: async (workspace, program) => (await find(workspace, program)).tierConfig !== null,
    forget: programs.forget,
  }
}

/** What a point is worth: by the setting `pointsCurrencyValue`, else by the program's `pointValue`. */
export function rateOf({ program, pointsCurrencyValue }: WalletView): PointRate {
  return pointsCurrencyValue === null
    ? rateOfProgram(program.pointValue, program.currencyCode)
    : rateOfSetting(pointsCurrencyValue, program.currencyCode)
}
