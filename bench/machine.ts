import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem, type } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { temporalBinary } from '../dev/temporal/binary.ts'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  system: string
  node: string
}

export function thisMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
  }
}

const PRODUCT_PACKAGES = ['@temporalio/client', 'express', 'pg']
const PEER_PACKAGES = [
  '@dbos-inc/dbos-sdk',
  '@restatedev/restate-sdk',
  '@restatedev/restate-server',
  'pg-boss',
]

/** What was compared: packages as installed, servers as they report themselves. */
export async function versionsOf(adminUrl: string): Promise<Record<string, string>> {
  const product = new URL('../package.json', import.meta.url)
  const peers = new URL('./peers/package.json', import.meta.url)
  return {
    postgres: await postgresVersion(adminUrl),
    temporal: temporalVersion(await temporalBinary({})),
    ...Object.fromEntries(PRODUCT_PACKAGES.map((name) => [name, installed(product, name)])),
    ...Object.fromEntries(PEER_PACKAGES.map((name) => [name, installed(peers, name)])),
  }
}

/** Read from the file: a package need not export its package.json. */
function installed(from: URL, name: string): string {
  const folders = createRequire(from).resolve.paths(name) ?? []
  for (const folder of folders) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version
    } catch {
      // not in this folder: Node looks in the next one as well
    }
  }
  throw new Error(`${name} is not installed beside ${dirname(from.pathname)}`)
}

function temporalVersion(binary: string): string {
  return execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
}

async function postgresVersion(adminUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const answer = await client.query<{ server_version: string }>('SHOW server_version')
    return answer.rows[0]?.server_version ?? 'unknown'
  } finally {
    await client.end()
  }
}
