import { findAccount } from '../db/accounts.ts'
import type { Pool } from '../db/pool.ts'
import { findProgram, listPrograms, type ProgramRow } from '../db/programs.ts'
import { findReward } from '../db/rewards.ts'
import { remembered } from './remembered.ts'

/**
 * The decimals to print points with, of the programs behind some accounts or
 * rewards. For printing only: a write reads its program fresh.
 */
export type Decimals = {
  ofProgram(workspace: string, program: string): Promise<number>
  ofAccounts(workspace: string, ids: readonly string[]): Promise<(id: string) => number>
  ofRewards(workspace: string, ids: readonly string[]): Promise<(id: string) => number>
  /** Whether members of the program have tiers. */
  hasTiers(workspace: string, program: string): Promise<boolean>
}

// Decimals change only before a program's first transaction; a print may be this much behind.
const PROGRAMS_MS = 2_000
// An account or a reward never changes its program; this only bounds how long a stale miss lives.
const MEMBERSHIP_MS = 600_000
const MOST_WORKSPACES = 1_000
const MOST_MEMBERS = 20_000 // some 4 MB

type ProgramOf = (key: string) => Promise<string | undefined>

export function decimalsFrom(pool: Pool): Decimals {
  const programs = remembered((workspace) => listPrograms(pool, workspace), {
    ttlMs: PROGRAMS_MS,
    most: MOST_WORKSPACES,
  })
  const members = { ttlMs: MEMBERSHIP_MS, most: MOST_MEMBERS }
  const ofAccount = remembered(async (key) => {
    const [workspace, id] = split(key)
    return (await findAccount(pool, workspace, id))?.program
  }, members)
  const ofReward = remembered(async (key) => {
    const [workspace, id] = split(key)
    return (await findReward(pool, workspace, id))?.program
  }, members)

  const find = async (workspace: string, program: string): Promise<ProgramRow> => {
    const known = (await programs(workspace)).find(({ id }) => id === program)
    const row = known ?? (await findProgram(pool, workspace, program))
    if (row === undefined) throw new Error(`no program ${program}`)
    return row
  }
  const ofProgram = async (workspace: string, program: string | undefined): Promise<number> => {
    if (program === undefined) throw new Error('points of an object without a program')
    return (await find(workspace, program)).decimals
  }
  const through = async (workspace: string, ids: readonly string[], programOf: ProgramOf) => {
    const common = inCommon(await programs(workspace))
    if (common !== undefined) return () => common
    const found = new Map<string, number>()
    for (const id of new Set(ids)) {
      found.set(id, await ofProgram(workspace, await programOf(`${workspace} ${id}`)))
    }
    return (id: string) => found.get(id) ?? 0
  }
  return {
    hasTiers: async (workspace, program) => (await find(workspace, program)).tierConfig !== null,
    ofProgram,
    ofAccounts: (workspace, ids) => through(workspace, ids, ofAccount),
    ofRewards: (workspace, ids) => through(workspace, ids, ofReward),
  }
}

/** The decimals of all programs where they agree, as the usual workspace's one program does with itself. */
function inCommon(rows: readonly ProgramRow[]): number | undefined {
  const all = new Set(rows.map(({ decimals }) => decimals))
  return all.size === 1 ? rows[0]?.decimals : undefined
}

function split(key: string): [string, string] {
  const [workspace = '', id = ''] = key.split(' ')
  return [workspace, id]
}
