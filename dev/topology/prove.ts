import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeExit, type Exit } from '../children.ts'
import { startPostgres } from '../postgres.ts'
import { startProgress } from '../progress.ts'
import { readServices } from './compose-file.ts'
import { type Machine, runIn, up } from './containers.ts'
import { findDifferences } from './differences.ts'
import { localImages } from './images.ts'
import { hasEnded, proveMainJob } from './main-job.ts'
import { openOperator } from './operator.ts'
import { openShop } from './shop.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
const HOLD_MINUTES = '0.2' // 12 s: longer than a redeem and its payment, short enough to wait for

/**
 * `npm run topology`: the services of docker-compose.yml, each with its own command, environment
 * and health check, in the order of their dependencies, without a container engine; the product
 * installed by the lines of its Dockerfile; then the main job over HTTP, a restart of everything,
 * and the end of everything. Exits with 1 where anything is not as it must be.
 */
async function main(): Promise<void> {
  const { line } = startProgress()
  const folder = mkdtempSync(join(tmpdir(), 'vinr-topology-'))
  chmodSync(folder, 0o755) // Postgres does not run as root and must get in
  // Whatever ends this process: the children are told to end on its exit too (children.ts), before this.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const images = await localImages(PROJECT, folder, line)
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), onProgress: line })
  try {
    const machine = await machineOf(folder, postgres, images, line)
    await prove(machine, line)
  } finally {
    await postgres.stop()
  }
  line('Proved')
}

async function machineOf(
  folder: string,
  postgres: { port: number; adminUrl: string },
  imageOf: Machine['imageOf'],
  onProgress: (line: string) => void,
): Promise<Machine> {
  const services = readServices(join(PROJECT, 'docker-compose.yml'), {
    POSTGRES_PASSWORD: new URL(postgres.adminUrl).password,
    OWNER_DATABASE_PASSWORD: randomBytes(24).toString('hex'),
    APP_DATABASE_PASSWORD: randomBytes(24).toString('hex'),
    WORKER_DATABASE_PASSWORD: randomBytes(24).toString('hex'),
    TEMPORAL_DATABASE_PASSWORD: randomBytes(24).toString('hex'),
    HOLD_MINUTES,
  })
  const mounts = { '/etc/vinr': join(PROJECT, 'deploy', 'temporal') }
  const differences = await findDifferences(postgres.port, mounts)
  return { services, imageOf, differences, logs: join(folder, 'logs'), onProgress }
}

async function prove(machine: Machine, line: (text: string) => void) {
  const { ports } = machine.differences
  const first = await up(machine)
  const keys = await runIn(machine, 'api', ['vinr', 'workspace', 'create', 'Topology'])
  const apiKey = /sk_test_\w+/.exec(keys)?.[0]
  if (apiKey === undefined) throw new Error(`No key in what the command printed:\n${keys}`)
  const shop = await openShop(`http://127.0.0.1:${ports.api}`, apiKey)
  const operatorOf = () =>
    openOperator(`http://127.0.0.1:${ports.ui}`, `127.0.0.1:${ports.temporal}`, 'default')

  for (const page of ['/docs', '/openapi.json', '/metrics']) {
    const { ok } = await fetch(`http://127.0.0.1:${ports.api}${page}`)
    assert(ok, page)
  }

  const operator = await operatorOf()
  await proveMainJob(shop, operator, line)
  const waiting = await shop.redeem()
  await operator.close()
  endedWell(await first.stop(), line)

  // Every command that runs once finds its work done, and the waiting run is still there.
  const second = await up(machine)
  const again = await operatorOf()
  await hasEnded(shop, again, waiting.id, { status: 'released', reason: 'expired', balance: 4_500 })
  line('redeem, restart everything: released all the same')
  line((await runIn(machine, 'migrate', ['vinr', 'reconcile'])).trim())
  await again.close()
  endedWell(await second.stop(), line)
}

/** SIGTERM must end each process by its own doing, as `docker compose stop` would see it. */
function endedWell(exits: Map<string, Exit>, line: (text: string) => void) {
  for (const [name, exit] of exits) line(`${name} stopped: ${describeExit(exit)}`)
  for (const name of ['api', 'worker', 'temporal']) assert.equal(exits.get(name)?.code, 0, name)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
