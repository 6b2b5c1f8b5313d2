import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { identify, isStill, type ProcessIdentity } from './process-identity.ts'

type Lock = { release(): void }

/**
 * Takes the lock file, or answers who holds it. A lock whose holder is gone, or whose process id
 * now belongs to another process, is taken over. It is released at the latest when this process
 * exits.
 */
export function tryLock(file: string): Lock | { heldBy: ProcessIdentity } {
  mkdirSync(dirname(file), { recursive: true })
  const mine = identify(process.pid)
  if (mine === null) throw new Error('This system does not tell about its processes')
  const ticket = `${file}.${process.pid}`
  writeFileSync(ticket, JSON.stringify(mine))
  try {
    for (;;) {
      if (linked(ticket, file)) return lockOn(file)
      const holder = readHolder(file)
      if (holder !== null && isStill(holder)) return { heldBy: holder }
      discard(file, holder)
    }
  } finally {
    rmSync(ticket, { force: true })
  }
}

function lockOn(file: string): Lock {
  const release = () => {
    if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true })
    process.off('exit', release)
  }
  process.on('exit', release)
  return { release }
}

/** A link appears with its content or not at all, so nobody reads a half-written holder. */
function linked(ticket: string, file: string): boolean {
  try {
    linkSync(ticket, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Removes a stale lock, unless another process has taken it over since it was read. */
function discard(file: string, stale: ProcessIdentity | null) {
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return // somebody else was faster
  }
  const moved = readHolder(aside)
  if (moved !== null && moved.startedAt !== stale?.startedAt) linked(aside, file)
  rmSync(aside, { force: true })
}

function readHolder(file: string): ProcessIdentity | null {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity
    return typeof holder.pid === 'number' && typeof holder.startedAt === 'string' ? holder : null
  } catch {
    return null
  }
}
