import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const PROJECT = join(import.meta.dirname, '..', '..')

/** The release before: its API and its worker run beside the present ones while an installation is upgraded. */
export const PREVIOUS_RELEASE = 'fef714ef'

export type Release = { folder: string; commit: string; remove(): Promise<void> }

/**
 * The code of a commit in a folder of its own, with the dependencies of this one. Rejects where the
 * clone has no such commit, and says how to get it.
 */
export async function checkOut(revision: string): Promise<Release> {
  const commit = await fullName(revision)
  const folder = await mkdtemp(join(tmpdir(), `vinr-release-${revision}-`))
  const archive = spawn('git', ['archive', '--format=tar', commit], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const tar = spawn('tar', ['-x', '-C', folder], { stdio: [archive.stdout, 'inherit', 'inherit'] })
  const [[archived], [extracted]] = await Promise.all([once(archive, 'exit'), once(tar, 'exit')])
  if (archived !== 0 || extracted !== 0) throw new Error(`${commit} could not be written out`)
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'))
  return { folder, commit, remove: () => rm(folder, { recursive: true, force: true }) }
}

async function fullName(revision: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      'git',
      ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`],
      { cwd: PROJECT },
    )
    return stdout.trim()
  } catch (cause) {
    throw new Error(
      `The release before, ${revision}, is not in this clone. Where it is shallow, get the rest ` +
        'with: git fetch --unshallow',
      { cause },
    )
  }
}
