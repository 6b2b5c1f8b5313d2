import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Processes } from './processes.ts'

type Backup = { restore(): Promise<void> }

/** What a server keeps, copied while it is down, as an administrator would who puts it back later. */
export async function backUp(all: Processes, what: 'postgres' | 'temporal'): Promise<Backup> {
  const files = all.filesOf(what)
  const folder = await mkdtemp(join(tmpdir(), 'vinr-backup-'))
  const kept = files.filter((file) => existsSync(file))
  for (const file of kept) await copy(file, join(folder, basename(file)))
  return {
    restore: async () => {
      await Promise.all(files.map((file) => rm(file, { recursive: true, force: true })))
      for (const file of kept) await copy(join(folder, basename(file)), file)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** With its owner: Postgres does not run on files of somebody else's. */
const copy = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to])
