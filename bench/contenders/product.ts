import { join } from 'node:path'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import pg from 'pg'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/owner.ts'
import { seedDemo } from '../../dev/demo.ts'
import { freePort } from '../../dev/ports.ts'
import { databaseUrls } from '../../dev/stack/database.ts'
import { startProgram } from '../../dev/stack/programs.ts'
import { temporalBinary } from '../../dev/temporal/binary.ts'
import { prepareDatabase } from '../../dev/temporal/database.ts'
import { attributeTypes } from '../../dev/temporal/ready.ts'
import { startTemporal } from '../../dev/temporal/server.ts'
import { SEARCH_ATTRIBUTES, WORKFLOW } from '../../temporal/names.ts'
import type { Runs, Turn } from '../contender.ts'

export interface Product {
  apiUrl: string
  apiKey: string
  paymentWebhookSecret: string
  /** Redemption workflows that have not ended, delayed ones included. */
  openRedemptions(): Promise<number>
  /** Redemption workflows that were begun, delayed ones included, and those that have ended well. */
  redemptionRuns(): Promise<Runs>
  /** Stops the engine where it stands (SIGSTOP): its connections stay and nobody answers on them. */
  freezeEngine(): void
  /** One more API, with this in its environment besides; whoever starts it stops it. */
  startApi(more: NodeJS.ProcessEnv): Promise<{ origin: string; stop(): Promise<unknown> }>
  thawEngine(): void
  stop(): Promise<void>
}

/** Above anything that one box can do: the limit is there to protect, and not what is measured. */
const NO_RATE_LIMIT = '1000000'

const RUNS = `WorkflowType = '${WORKFLOW.redemption}'`

/** Code of the product, as it stands in a folder. */
export interface Tree {
  folder: string
  migrate: typeof migrate
  seedDemo: typeof seedDemo
}

/** What is being measured, unless another is named. */
export const HERE: Tree = { folder: join(import.meta.dirname, '..', '..'), migrate, seedDemo }

/** What `npm start` runs, on the bench's Postgres instead of its own. */
export async function startProduct(turn: Turn, tree: Tree = HERE): Promise<Product> {
  const [databaseUrl, temporal] = await Promise.all([prepareLedger(turn, tree), startEngine(turn)])
  const started: { stop(): Promise<unknown> }[] = [temporal]
  let isFrozen = false
  const thaw = () => {
    isFrozen = !process.kill(temporal.pid, 'SIGCONT')
  }
  const stop = async () => {
    if (isFrozen) thaw() // frozen it could not end in order
    for (const part of started.reverse()) await part.stop()
  }
  try {
    const env = {
      ...process.env,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: 'default',
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      WORKER_METRICS_PORT: String(await freePort()),
      DATA_DIR: turn.dir,
      HOLD_MINUTES: String(turn.holdMs / 60_000),
      RATE_LIMIT_PER_SECOND: NO_RATE_LIMIT,
    }
    const apiUrl = `http://127.0.0.1:${env.PORT}`
    started.push(
      await program(turn, tree, 'worker', env, `http://127.0.0.1:${env.WORKER_METRICS_PORT}`),
    )
    started.push(await program(turn, tree, 'api', env, apiUrl))
    const keys = await tree.seedDemo({ databaseUrl })
    const connection = await NativeConnection.connect({ address: temporal.address })
    started.push({ stop: () => connection.close() })
    const { workflow } = new Client({ connection })
    const count = async (status: string) => {
      const query = `${RUNS} AND ExecutionStatus = '${status}'`
      return (await workflow.count(query)).count
    }
    return {
      ...keys,
      apiUrl,
      openRedemptions: () => count('Running'),
      redemptionRuns: async () => {
        const [started, completed] = await Promise.all([workflow.count(RUNS), count('Completed')])
        return { started: started.count, completed }
      },
      freezeEngine: () => {
        isFrozen = process.kill(temporal.pid, 'SIGSTOP')
      },
      thawEngine: thaw,
      startApi: async (more) => {
        const PORT = String(await freePort())
        const origin = `http://127.0.0.1:${PORT}`
        const { stop } = await program(turn, tree, 'api', { ...env, ...more, PORT }, origin)
        return { origin, stop }
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function program(
  turn: Turn,
  { folder }: Tree,
  name: string,
  env: NodeJS.ProcessEnv,
  origin: string,
) {
  const logFile = join(turn.dir, `${name}.log`)
  const readyUrl = `${origin}/health/ready`
  return startProgram({ name, entry: `${name}/main.ts`, env, readyUrl, logFile }, folder)
}

/** The two roles and the schema in this turn's database; answers the application role's URL. */
export async function prepareLedger(turn: Turn, tree: Tree = HERE): Promise<string> {
  const { pathname } = new URL(turn.databaseUrl)
  const roles = databaseUrls(turn.adminUrl)
  const owner = Object.assign(new URL(roles.owner), { pathname })
  const application = Object.assign(new URL(roles.application), { pathname })
  await createOwner(turn.adminUrl, owner.href)
  await giveDatabase(turn.databaseUrl, owner.username)
  await tree.migrate({ ownerUrl: owner.href, applicationUrl: application.href })
  return application.href
}

async function giveDatabase(databaseUrl: string, owner: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const name = pg.escapeIdentifier(new URL(databaseUrl).pathname.slice(1))
  await client.query(`ALTER DATABASE ${name} OWNER TO ${pg.escapeIdentifier(owner)}`)
  await client.end()
}

async function startEngine(turn: Turn) {
  const binary = await temporalBinary({})
  const dbFile = join(turn.dir, 'temporal.db')
  const searchAttributes = attributeTypes(SEARCH_ATTRIBUTES)
  await prepareDatabase({ binary, dbFile, searchAttributes })
  return await startTemporal({ binary, dbFile, searchAttributes })
}
