import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

const PROJECT = resolve(import.meta.dirname, '../..')

/** The folder or file where the line stands, the line, and the rule that refuses it; none where it is allowed. */
type Case = [place: string, line: string, refusedBy?: 'import-directions' | 'no-sql' | 'no-clock']

const CASES: Case[] = [
  ['domain', `import { createHash } from 'node:crypto'`],
  ['domain', `import { readFile } from 'node:fs/promises'`, 'import-directions'],
  ['domain', `import { z } from 'zod'`, 'import-directions'],
  ['domain', `import type { z } from 'zod'`, 'import-directions'],
  ['domain', `import { findAccount } from '../db/accounts.ts'`, 'import-directions'],
  ['domain/points.test.ts', `import { findAccount } from '../db/accounts.ts'`],
  ['domain/expression', `import { pointsOf } from '../points.ts'`],
  ['domain/expression', `import type { Row } from '../../db/accounts.ts'`, 'import-directions'],
  ['domain', `export const late = (at: Date) => at > new Date(0)`],
  ['domain', `export const late = (at: Date) => at > new Date()`, 'no-clock'],
  ['domain', `export const late = (at: number) => at > Date.now()`, 'no-clock'],

  ['db', `import { refuse } from '../domain/refusal.ts'`],
  ['db', `import { drizzle } from 'drizzle-orm/node-postgres'`],
  ['db', `import { createRedemption } from '../activities/redemption.ts'`, 'import-directions'],
  ['db/schema', `import { readConfig } from '../../config.ts'`, 'import-directions'],

  ['workflows', `import { redemptionSummary } from '../domain/redemption-summary.ts'`],
  ['workflows', `import { condition } from '@temporalio/workflow'`],
  ['workflows', `import { WORKFLOW } from '../temporal/names.ts'`],
  ['workflows', `import type { Engine } from '../temporal/engine.ts'`, 'import-directions'],
  ['workflows', `import type { Activities } from '../activities/redemption.ts'`],
  ['workflows', `export type Story = import('../activities/redemption.ts').Activities`],
  ['workflows', `import { settle } from '../activities/redemption.ts'`, 'import-directions'],
  // The braces stay when the type is stripped, and bring the module into the bundle.
  [
    'workflows',
    `import { type Activities } from '../activities/reconciler.ts'`,
    'import-directions',
  ],
  ['workflows', `export * from '../activities/redemption.ts'`, 'import-directions'],
  ['workflows', `import '../db/pool.ts'`, 'import-directions'],
  ['workflows', `import { z } from 'zod'`, 'import-directions'],
  ['workflows', `import pg from 'pg'`, 'import-directions'],
  ['workflows', `export const load = () => import('zod')`, 'import-directions'],
  ['workflows', `import { createHash } from 'node:crypto'`, 'import-directions'],

  ['temporal', `import type { Row } from '../workflows/messages.ts'`, 'import-directions'],
  ['temporal', `import { redemption } from '../workflows/redemption.ts'`, 'import-directions'],
  ['temporal', `import { createPool } from '../db/pool.ts'`, 'import-directions'],

  ['app', `import { transact } from '../db/workspace-client.ts'`],
  ['app', `import { signalEndpoint } from '../temporal/endpoint-signals.ts'`],
  ['app', `import { endpoint } from '../api/server/endpoint.ts'`, 'import-directions'],
  ['app', `import { redemption } from '../workflows/redemption.ts'`, 'import-directions'],
  ['app', `import { settling } from '../activities/redemption.ts'`, 'import-directions'],

  ['activities', `import { redemptionCommands } from '../app/redemptions.ts'`],
  ['activities', `import { transact } from '../db/workspace-client.ts'`, 'import-directions'],
  ['activities', `import type { RedemptionResult } from '../db/results/redemption.ts'`],
  ['activities', `import { endpoint } from '../api/server/endpoint.ts'`, 'import-directions'],
  ['activities', `import { redemption } from '../workflows/redemption.ts'`, 'import-directions'],

  ['api', `import { finishReportedEvent } from '../temporal/reported-event.ts'`],
  ['api', `import { createCommands } from '../app/index.ts'`],
  [
    'api',
    `import { redemptionActivities } from '../activities/redemption.ts'`,
    'import-directions',
  ],
  ['cli', `import { createWorker } from '../worker/worker.ts'`, 'import-directions'],
  ['api', `import { readConfig } from '../config.ts'`],
  ['api/accounts', `import { listAccounts } from '../../db/accounts.ts'`],
  ['api/accounts', `import { type AccountRow, findAccount } from '../../db/accounts.ts'`],
  ['api/accounts', `import type { account } from '../../db/schema/account.ts'`],
  ['api/accounts', `import { account } from '../../db/schema/account.ts'`, 'import-directions'],
  ['api/accounts', `import { accountCreate } from '../../db/ledger.gen.ts'`, 'import-directions'],
  ['api/accounts', `import * as accounts from '../../db/accounts.ts'`, 'import-directions'],
  ['api/accounts', `export { pointsPost } from '../../db/ledger.gen.ts'`, 'import-directions'],
  ['api/accounts', `import { transact } from '../../db/workspace-client.ts'`, 'import-directions'],
  ['api', `import { done } from '../db/border.ts'`, 'import-directions'],
  ['api', `import { eq } from 'drizzle-orm'`, 'import-directions'],
  ['api', `import { pgTable } from 'drizzle-orm/pg-core'`, 'import-directions'],
  ['api', `import type { Pool } from 'pg'`, 'import-directions'],
  ['api', `import { redemption } from '../workflows/redemption.ts'`, 'import-directions'],
  ['api', `import { demo } from '../dev/demo.ts'`, 'import-directions'],
  ['api', `import { demo } from '../temporal/../dev/demo.ts'`, 'import-directions'],
  ['api', `export const load = (name: string) => import(name)`, 'import-directions'],
  ['api', `export const one = (pool: Pool) => pool.query('select 1')`, 'no-sql'],
  ['api', `export const open = (pool: Pool) => pool.connect()`, 'no-sql'],
  ['api', `export const limit = (req: Request) => req.query.limit`],

  ['worker', `import { createPool } from '../db/pool.ts'`],
  ['worker', `import { workerActivities } from '../activities/index.ts'`],
  ['worker', `import { findAccount } from '../db/accounts.ts'`, 'import-directions'],
  ['worker', `import { createLog } from '../process/log.ts'`],
  ['worker', `import { createApp } from '../api/server/app.ts'`, 'import-directions'],
  ['worker', `import { openApiDocument } from '../api/server/openapi.ts'`, 'import-directions'],
  ['api/server', `import { listening } from '../../process/http.ts'`],
  ['process', `import { readOutboxBacklog } from '../db/outbox.ts'`],
  ['process', `import { findAccount } from '../db/accounts.ts'`, 'import-directions'],
  ['process', `import { createApp } from '../api/server/app.ts'`, 'import-directions'],
  ['process', `import { readConfig } from '../config.ts'`, 'import-directions'],
  ['worker', `import { startPostgres } from '../dev/postgres.ts'`, 'import-directions'],
  ['cli', `import { workspaceCommands } from '../app/workspaces.ts'`],
  ['cli', `import { resignal } from '../app/resignal.ts'`],
  ['cli', `export const load = () => import('../api/server/openapi.ts')`],
  ['cli', `import { Command } from 'commander'`],
  ['cli', `import { startPostgres } from '../dev/postgres.ts'`, 'import-directions'],
  ['cli', `import { redemption } from '../workflows/redemption.ts'`, 'import-directions'],
  ['cli', `import { createApp } from '../api/server/app.ts'`, 'import-directions'],
  ['api', `import { vinr } from '../cli/program.ts'`, 'import-directions'],
  ['worker', `import { vinr } from '../cli/program.ts'`, 'import-directions'],
  ['test', `import { transact } from '../db/workspace-client.ts'`],
  ['dev', `import { createPool } from '../db/pool.ts'`],
  ['elsewhere', `import { createPool } from '../db/pool.ts'`, 'import-directions'],
]

const Report = z.object({
  diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })),
})

const nameOf = (place: string, index: number) =>
  place.endsWith('.ts') ? place : join(place, `case-${index}.ts`)

/** Runs the house's rules alone over `folder`, with the configuration that stands in it. */
async function refusalsIn(folder: string): Promise<Map<string, string>> {
  const oxlint = join(PROJECT, 'node_modules', 'oxlint', 'bin', 'oxlint')
  const args = [oxlint, '--allow', 'all', '--format', 'json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch(
    (failure: { stdout: string }) => failure, // it exits with 1 where it refuses
  )
  const { diagnostics } = Report.parse(JSON.parse(stdout))
  return new Map(diagnostics.map(({ filename, code }) => [filename, code]))
}

describe('imports go one way', () => {
  let folder: string
  let refusals: Map<string, string>

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'vinr-imports-')))
    await cp(join(PROJECT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
    await cp(join(PROJECT, 'dev', 'lint'), join(folder, 'dev', 'lint'), { recursive: true })
    for (const [index, [home, line]] of CASES.entries()) {
      const file = join(folder, nameOf(home, index))
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, `${line}\n`)
    }
    refusals = await refusalsIn(folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(CASES.map(([folder, line, refusedBy], index) => ({ folder, line, refusedBy, index })))(
    '$folder: $line',
    ({ folder: home, refusedBy, index }) => {
      expect(refusals.get(nameOf(home, index))).toBe(refusedBy && `house(${refusedBy})`)
    },
  )

  it('and do so in the whole tree', async () => {
    expect(Object.fromEntries(await refusalsIn(PROJECT))).toEqual({})
  })
})
