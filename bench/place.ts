import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Turn } from './contender.ts'
import { busyShare } from './cpu-time.ts'
import { createDatabase, settle } from './database.ts'

/** Where a run of the bench takes place. */
export interface Place {
  adminUrl: string
  scratch: string
  onProgress: (line: string) => void
}

/** An empty database and folder, removed afterwards; `act` learns how busy others kept the CPUs. */
export async function inOwnPlace<T>(
  place: Place,
  label: string,
  settings: Pick<Turn, 'members' | 'holdMs'>,
  act: (turn: Turn, busyBefore: number) => Promise<T>,
): Promise<T> {
  const name = `bench_${label}`.replaceAll('-', '_')
  const database = await createDatabase(place.adminUrl, name)
  const dir = join(place.scratch, name)
  rmSync(dir, { recursive: true, force: true }) // another suite's turn had the same name
  mkdirSync(dir, { recursive: true })
  await settle(place.adminUrl)
  const busyBefore = await busyShare()
  const turn: Turn = { adminUrl: place.adminUrl, databaseUrl: database.url, dir, ...settings }
  try {
    return await act(turn, busyBefore)
  } catch (error) {
    throw new Error(`${label}: ${describeError(error)}`, { cause: error })
  } finally {
    await database.drop()
  }
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
