import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { createPool, type Pool } from '../../db/pool.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { startPostgres } from '../../dev/postgres.ts'
import { type Product, startProduct } from '../contenders/product.ts'
import { createDatabase } from '../database.ts'

export const ACCOUNTS = 100_000
/** A program whose points never expire, and one whose points live twelve months. */
const LASTING = 'prog_default'

const HOLD_MS = 1_800_000

/** The product with a workspace of members, on a Postgres of its own that waits for the disk. */
export type Place = {
  workspace: string
  apiKey: string
  product: Product
  adminUrl: string
  databaseUrl: string
  dir: string
  /** As the superuser: past row security. */
  owner: pg.Pool
  /** As the application. */
  pool: Pool
  stop(): Promise<void>
}

export async function openPlace(name: string, members = ACCOUNTS): Promise<Place> {
  const dir = resolve(process.env.DATA_DIR || '.data', `bench-currency-${name}-${process.pid}`)
  mkdirSync(dir, { recursive: true })
  const postgres = await startPostgres({ dataDir: join(dir, 'postgres') })
  const stops: (() => Promise<unknown>)[] = [
    async () => rmSync(dir, { recursive: true, force: true }),
  ]
  stops.push(() => postgres.stop())
  const stop = async () => {
    for (const end of stops.reverse()) await end()
  }
  try {
    const { url: databaseUrl } = await createDatabase(postgres.adminUrl, 'currency')
    const { adminUrl } = postgres
    const product = await startProduct({ adminUrl, databaseUrl, dir, holdMs: HOLD_MS, members: 0 })
    stops.push(() => product.stop())
    const owner = new pg.Pool({ connectionString: databaseUrl, max: 4 })
    stops.push(() => owner.end())
    const pool = createPool({ url: databaseUrl, max: 8 })
    stops.push(() => pool.end())
    const workspace = 'ws_bench'
    const { secretKey: apiKey } = await seedWorkspace(pool, workspace, 'Bench')
    await owner.query(
      `insert into account (workspace, id, program)
       select $1, 'loy_' || n, $2 from generate_series(1, $3::int) n`,
      [workspace, LASTING, members],
    )
    await owner.query('vacuum analyze account')
    return { workspace, apiKey, product, adminUrl, databaseUrl, dir, owner, pool, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Seconds that it takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await run()
  return (performance.now() - begun) / 1_000
}

export type Percentiles = { count: number; p50Ms: number; p99Ms: number; maxMs: number }

export function percentiles(ms: number[]): Percentiles {
  const sorted = [...ms].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
