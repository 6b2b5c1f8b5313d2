import { join } from 'node:path'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import pg from 'pg'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/migrate-main.ts'
import { seedDemo } from '../../dev/demo.ts'
import { freePort } from '../../dev/ports.ts'
import { databaseUrls } from '../../dev/stack/database.ts'
import { startProgram } from '../../dev/stack/programs.ts'
import { temporalBinary } from '../../dev/temporal/binary.ts'
import { prepareDatabase } from '../../dev/temporal/database.ts'
import { attributeTypes } from '../../dev/temporal/ready.ts'
import { startTemporal } from '../../dev/temporal/server.ts'
import { WORKFLOW } from '../../workflows/messages.ts'
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts'
import type { Turn } from '../contender.ts'

export interface Product {
  apiUrl: string
  apiKey: string
  paymentWebhookSecret: string
  /** Redemption workflows that have not ended, delayed ones included. */
  openRedemptions(): Promise<number>
  stop(): Promise<void>
}

/** Above anything that one box can do: the limit is there to protect, and not what is measured. */
const NO_RATE_LIMIT = '1000000'

const OPEN = `WorkflowType = '${WORKFLOW.redemption}' AND ExecutionStatus = 'Running'`

/** What `npm start` runs, on the bench's Postgres instead of its own. */
export async function startProduct(turn: Turn): Promise<Product> {
  const [databaseUrl, temporal] = await Promise.all([prepareLedger(turn), startEngine(turn)])
  const started: { stop(): Promise<unknown> }[] = [temporal]
  const stop = async () => {
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
    started.push(await program(turn, 'worker', env, `http://127.0.0.1:${env.WORKER_METRICS_PORT}`))
    started.push(await program(turn, 'api', env, apiUrl))
    const keys = await seedDemo({ databaseUrl })
    const connection = await NativeConnection.connect({ address: temporal.address })
    started.push({ stop: () => connection.close() })
    const { workflow } = new Client({ connection })
    const openRedemptions = async () => (await workflow.count(OPEN)).count
    return { ...keys, apiUrl, openRedemptions, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function program(turn: Turn, name: string, env: NodeJS.ProcessEnv, origin: string) {
  const logFile = join(turn.dir, `${name}.log`)
  const readyUrl = `${origin}/health/ready`
  return startProgram({ name, entry: `${name}/main.ts`, env, readyUrl, logFile })
}

/** The two roles and the schema in this turn's database; answers the application role's URL. */
export async function prepareLedger(turn: Turn): Promise<string> {
  const { pathname } = new URL(turn.databaseUrl)
  const roles = databaseUrls(turn.adminUrl)
  const owner = Object.assign(new URL(roles.owner), { pathname })
  const application = Object.assign(new URL(roles.application), { pathname })
  await createOwner(turn.adminUrl, owner.href)
  await giveDatabase(turn.databaseUrl, owner.username)
  await migrate({ ownerUrl: owner.href, applicationUrl: application.href })
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
