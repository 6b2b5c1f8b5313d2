import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { tryLock } from './lock.ts'

const CHECK_EVERY_MS = 500

/** Where programs that took long to get are kept, outside the project, for all its checkouts. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vinr-engagement')
}

/** The path of a file in a cached folder, or null where the folder has not been made yet. */
export function inCache(folder: string, file: string): string | null {
  const path = join(cacheFolder(), folder, file)
  return existsSync(path) ? path : null
}

/**
 * The path of `file` in the cached `folder`, which `make` fills where it does not exist yet. It is
 * made aside and renamed, so that an interrupted one leaves nothing; of several processes that ask
 * at the same time one makes it and the others wait for it.
 */
export async function cached(
  folder: string,
  file: string,
  make: (dir: string) => Promise<void>,
  onProgress: (line: string) => void,
): Promise<string> {
  mkdirSync(cacheFolder(), { recursive: true })
  const target = join(cacheFolder(), folder)
  let waiting = false
  for (;;) {
    const there = inCache(folder, file)
    if (there !== null) return there
    const lock = tryLock(`${target}.lock`)
    if ('release' in lock) {
      try {
        return inCache(folder, file) ?? (await fill(target, file, make))
      } finally {
        lock.release()
      }
    }
    if (!waiting) onProgress(`Waiting for process ${lock.heldBy.pid}, which is getting ${folder}`)
    waiting = true
    await delay(CHECK_EVERY_MS)
  }
}

async function fill(target: string, file: string, make: (dir: string) => Promise<void>) {
  const dir = mkdtempSync(`${target}.`)
  try {
    await make(dir)
    if (!existsSync(join(dir, file))) throw new Error(`${file} is missing from what was made`)
    rmSync(target, { recursive: true, force: true })
    renameSync(dir, target)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  return join(target, file)
}
