import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import pg from 'pg'
import { z } from 'zod'
import { createOwner } from '../../db/owner.ts'
import { type Child, startChild } from '../../dev/children.ts'
import { freePort } from '../../dev/ports.ts'
import { startPostgres } from '../../dev/postgres.ts'
import { databaseUrls } from '../../dev/stack/database.ts'
import { restore } from './dump.ts'
import { FIXTURE, Made, TEMPORAL_FILES } from './fixture.ts'
import { type RunningStack, readJson, untilReady } from './stack.ts'

const Dump = z.object({ schema: z.array(z.string()), rows: z.array(z.string()) })

const PROJECT = join(import.meta.dirname, '..', '..')
// What was due within a day when it was recorded is due in each test; until then its rows are dated back.
const DUE_AFTER_MS = 25 * 3_600_000
const DATED_BACK_DAYS = 2
const READY_WITHIN_MS = 120_000
const STOP_WITHIN_MS = 60_000

const unpacked = async (name: string) =>
  brotliDecompressSync(await readFile(join(FIXTURE, `${name}.br`)))

/** The database that the release before left. */
export const readDump = async () =>
  Dump.parse(JSON.parse((await unpacked('database.json')).toString('utf8')))

/** `npm start` of the present code on the data directory that the release before left. */
export class RestoredStack {
  readonly dataDir: string
  readonly made: Made
  readonly running: RunningStack
  private readonly stack: Child

  private constructor(dataDir: string, made: Made, running: RunningStack, stack: Child) {
    this.dataDir = dataDir
    this.made = made
    this.running = running
    this.stack = stack
  }

  /** `receiver` is where the webhook endpoints send to. */
  static async start(receiver: string): Promise<RestoredStack> {
    const dataDir = await mkdtemp(join(tmpdir(), 'vinr-upgrade-'))
    const made = Made.parse(await readJson(join(FIXTURE, 'made.json')))
    await mkdir(join(dataDir, 'temporal'))
    for (const file of TEMPORAL_FILES) {
      await writeFile(join(dataDir, 'temporal', file), await unpacked(file))
    }
    for (const file of ['demo-keys.json', 'gift-code-key.json']) {
      await copyFile(join(FIXTURE, file), join(dataDir, file))
    }
    await restoreDatabase(join(dataDir, 'postgres'), made, receiver)
    const stack = await startChild({
      name: 'stack',
      command: process.execPath,
      args: ['--import', 'tsx', 'dev/stack.ts'],
      cwd: PROJECT,
      env: {
        ...process.env,
        DATA_DIR: dataDir,
        PORT: String(await freePort()),
        WEBHOOK_ALLOWED_ADDRESSES: '127.0.0.1',
        LOG_LEVEL: 'warn',
      },
      logFile: join(dataDir, 'stack.log'),
      stopSignal: 'SIGINT',
      graceMs: STOP_WITHIN_MS,
    })
    const running = await untilReady(dataDir, stack, READY_WITHIN_MS)
    return new RestoredStack(dataDir, made, running, stack)
  }

  async log(program: 'worker' | 'api'): Promise<string> {
    return readFile(join(this.dataDir, 'logs', `${program}.log`), 'utf8')
  }

  async stop(): Promise<void> {
    await this.stack.stop()
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

async function restoreDatabase(dataDir: string, made: Made, receiver: string) {
  const postgres = await startPostgres({ dataDir })
  try {
    const { owner: ownerUrl } = databaseUrls(postgres.adminUrl)
    await createOwner(postgres.adminUrl, ownerUrl)
    const admin = new URL(postgres.adminUrl)
    admin.pathname = new URL(ownerUrl).pathname
    await restore(await readDump(), { ownerUrl, adminUrl: admin.href })
    const client = new pg.Client({ connectionString: admin.href })
    await client.connect()
    const ageMs = Date.now() - Date.parse(made.recordedAt)
    if (ageMs < DUE_AFTER_MS) await dateBack(client, DATED_BACK_DAYS)
    await client.query(
      `update webhook_endpoint set url = $1 || substring(url from '/[a-z]+$') where id = any($2)`,
      [receiver, Object.values(made.endpoints)],
    )
    await client.end()
  } finally {
    await postgres.stop()
  }
}

/**
 * Every date of every row, by whole days, so that a day's rows stay one day's. Ids carry their time and
 * stay, and with them how far the totals have counted.
 */
async function dateBack(client: pg.Client, days: number) {
  await client.query('set session_replication_role = replica')
  const { rows } = await client.query<{ name: string; changes: string }>(
    `select c.oid::regclass::text as name, string_agg(
       format('%1$I = %1$I - %2$L::int * interval ''1 day''', a.attname, $1::int), ', ') as changes
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attgenerated = ''
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
       and c.relname <> 'ledger_rollup' and a.atttypid in ('timestamptz'::regtype, 'date'::regtype)
     group by c.oid`,
    [days],
  )
  for (const { name, changes } of rows) await client.query(`update ${name} set ${changes}`)
}
