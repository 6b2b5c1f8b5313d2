import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { inject } from 'vitest'
import { migrate } from '../../db/migrate.ts'
import { createOwner } from '../../db/owner.ts'
import { createPool, type Pool } from '../../db/pool.ts'
import type { Child } from '../../dev/children.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { type Postgres, startPostgres } from '../../dev/postgres.ts'
import { programsOf, startProgram } from '../../dev/stack/programs.ts'
import { startTemporal, type Temporal } from '../../dev/temporal/server.ts'
import { newId } from '../../domain/ids.ts'
import { SEARCH_ATTRIBUTES } from '../../temporal/names.ts'
import { lastingPort } from './lasting-port.ts'

export type Answer = { status: number; body: Record<string, unknown>; replayed: boolean }

/**
 * The product as processes of its own, each of which can be killed and started again:
 * Postgres (durable), Temporal (kept in a file), worker and API.
 */
export class Processes {
  readonly workspace = newId('ws')
  apiKey = ''
  paymentSecret = ''
  owner!: Pool
  readonly ports = { postgres: 0, temporal: 0, temporalUi: 0, api: 0, workerMetrics: 0 }
  private readonly folder: string
  private readonly holdMinutes: number
  private postgres!: Postgres
  private temporal!: Temporal
  private api: Child | undefined
  private worker: Child | undefined

  private constructor(folder: string, holdMinutes: number) {
    this.folder = folder
    this.holdMinutes = holdMinutes
  }

  /** `programs`: false starts the servers alone, with the schema in them. */
  static async start({ holdMinutes = 30, programs = true } = {}): Promise<Processes> {
    const all = new Processes(await mkdtemp(join(tmpdir(), 'vinr-crash-')), holdMinutes)
    all.ports.postgres = await lastingPort()
    all.ports.temporal = await lastingPort()
    all.ports.api = await lastingPort()
    all.ports.workerMetrics = await lastingPort()
    await Promise.all([all.startPostgres(), all.startTemporal()])
    await createOwner(all.postgres.adminUrl, all.url('engagement_owner'))
    await migrate({
      ownerUrl: all.url('engagement_owner'),
      applicationUrl: all.url('engagement_app'),
      workerUrl: all.url('engagement_worker'),
    })
    const pool = createPool({ url: all.url('engagement_app'), max: 2 })
    const keys = await seedWorkspace(pool, all.workspace, 'Crash shop')
    await pool.end()
    all.apiKey = keys.secretKey
    all.paymentSecret = keys.paymentSecret
    all.owner = createPool({ url: all.url('engagement_owner'), max: 4 })
    if (programs) await Promise.all([all.startApi(), all.startWorker()])
    return all
  }

  url(role: 'engagement_owner' | 'engagement_app' | 'engagement_worker'): string {
    return `postgres://${role}:${role}@127.0.0.1:${this.ports.postgres}/engagement`
  }

  async startPostgres(): Promise<void> {
    this.postgres = await startPostgres({
      dataDir: join(this.folder, 'postgres'),
      port: this.ports.postgres,
    })
  }

  async startTemporal(): Promise<void> {
    this.temporal = await startTemporal({
      binary: inject('temporalBinary'),
      dbFile: join(this.folder, 'temporal.db'),
      port: this.ports.temporal,
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        SEARCH_ATTRIBUTES.map(({ name }) => [name, 'Keyword' as const]),
      ),
    })
  }

  /** `folder`: where the code is, if not this one's. */
  async startApi(folder?: string): Promise<void> {
    this.api = await startProgram(this.programs().api, folder)
  }

  async startWorker(folder?: string): Promise<void> {
    this.worker = await startProgram(this.programs().worker, folder)
  }

  /** SIGSTOP: it takes connections and answers nothing, as a machine that hangs; SIGCONT: it goes on. */
  signal(what: 'api' | 'worker' | 'temporal', signal: 'SIGSTOP' | 'SIGCONT'): void {
    const pid = this[what]?.pid
    if (pid === undefined) throw new Error(`${what} does not run`)
    process.kill(pid, signal)
  }

  filesOf(what: 'postgres' | 'temporal'): string[] {
    const names = what === 'postgres' ? [''] : ['.db', '.db-wal', '.db-shm']
    return names.map((ending) => join(this.folder, what + ending))
  }

  /** A command of the product, `npm run <script>`, in the worker's environment; what it says. */
  async command(script: string): Promise<string> {
    const { env } = this.programs().worker
    return (await promisify(execFile)('npm', ['run', '-s', script], { env })).stdout
  }

  /** One more, beside the other; whoever starts it stops it. */
  async startAnotherWorker(): Promise<Child> {
    return startProgram(this.programs({ ...this.ports, workerMetrics: await lastingPort() }).worker)
  }

  /** Asked to stop, and gone when this resolves. */
  async quit(what: 'api' | 'worker'): Promise<void> {
    await this[what]?.stop()
  }

  /** SIGKILL, and gone when this resolves. */
  async kill(what: 'api' | 'worker' | 'postgres' | 'temporal'): Promise<void> {
    const one = this[what]
    one?.kill()
    await one?.exited
  }

  async stop(): Promise<void> {
    await Promise.all([this.api?.stop(), this.worker?.stop()])
    await this.owner.end()
    await Promise.all([this.postgres.stop(), this.temporal.stop()])
    await rm(this.folder, { recursive: true, force: true })
  }

  /** A connection that holds an account's lock until it is released: what comes for it waits. */
  async holdAccount(
    account: string,
  ): Promise<{ waiters(): Promise<number[]>; release(): Promise<void> }> {
    const client = new pg.Client({ connectionString: this.url('engagement_owner') })
    await client.connect()
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [
      this.workspace + account,
    ])
    return {
      waiters: async () => {
        const { rows } = await client.query(
          `select l.pid from pg_locks l join pg_locks h on h.locktype = 'advisory' and h.granted
             and h.classid = l.classid and h.objid = l.objid and h.pid = pg_backend_pid()
           where l.locktype = 'advisory' and not l.granted`,
        )
        return rows.map((row) => row.pid)
      },
      release: () => client.end(),
    }
  }

  /** Ends a backend whose client is gone, so that what it waited to do is never done. */
  async terminate(pid: number | undefined): Promise<void> {
    const client = new pg.Client({ connectionString: this.postgres.adminUrl })
    await client.connect()
    await client.query('select pg_terminate_backend($1)', [pid])
    await client.end()
  }

  /** Backends that wait for a lock on a row. */
  async waitingForRow(): Promise<number[]> {
    const { rows } = await this.owner.query(
      `select distinct pid from pg_locks where not granted and locktype in ('transactionid', 'tuple')`,
    )
    return rows.map((row) => row.pid)
  }

  async request(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    idempotencyKey?: string,
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.ports.api}${path}`, {
      method,
      headers: {
        'X-Api-Key': this.apiKey,
        'Content-Type': 'application/json',
        ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    })
    const replayed = response.headers.get('Idempotent-Replayed') === 'true'
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
      replayed,
    }
  }

  redeem(key: string, account = 'loy_8sd2k1'): Promise<Answer> {
    return this.request(
      'POST',
      '/v1/loyalty/redemptions',
      { account, reward: 'rwd_fivecredit' },
      key,
    )
  }

  /** The same request again until it is answered for good, as a client with a key does. */
  async redeemUntilAnswered(key: string, account: string): Promise<Answer> {
    for (;;) {
      try {
        const answer = await this.redeem(key, account)
        if (answer.status < 500) return answer
      } catch {
        // the connection broke: the outcome is unknown, and the key makes it safe to ask again
      }
      await new Promise((resolve) => setTimeout(resolve, 200)) // a client's back-off
    }
  }

  async redemptions(): Promise<{ id: string; status: string; account: string }[]> {
    return (
      await this.owner.query('select id, status, account from redemption order by created_at')
    ).rows
  }

  async reconcile(): Promise<unknown[]> {
    const sql = await readFile(new URL('../../db/reconcile.sql', import.meta.url), 'utf8')
    return (await this.owner.query(sql)).rows
  }

  private programs(ports = this.ports) {
    const place = { dataDir: this.folder, ports, namespace: 'default' }
    const database = {
      application: this.url('engagement_app'),
      worker: this.url('engagement_worker'),
    }
    return programsOf(place, database, {
      ...process.env,
      HOLD_MINUTES: String(this.holdMinutes),
      LOG_LEVEL: 'warn',
    })
  }
}
