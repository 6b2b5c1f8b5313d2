import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { STACK_DATABASE, type StackDatabase } from '../../db/command-database.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { redeem } from '../support/redeem.ts'
import { startedRun } from '../support/run.ts'

const PROJECT = new URL('../../', import.meta.url).pathname

let shop: Shop
let folder: string
let temporal: NodeJS.ProcessEnv

beforeAll(async () => {
  shop = await openShop()
  temporal = {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_TASK_QUEUE: shop.engine.taskQueue,
  }
  folder = await mkdtemp(join(tmpdir(), 'vinr-proofs-'))
  const { url: DATABASE_URL, ownerUrl: MIGRATION_DATABASE_URL, workspace } = shop
  const stack: StackDatabase = { DATABASE_URL, MIGRATION_DATABASE_URL, workspace }
  await writeFile(join(folder, STACK_DATABASE), JSON.stringify(stack))
})
afterAll(async () => {
  await shop.close()
  await rm(folder, { recursive: true, force: true })
})

type Place = { project?: string; env?: NodeJS.ProcessEnv }

/** Runs the command beside the stack, in the clone or in a copy of it. */
async function vinr(args: string[], { project = PROJECT, env = {} }: Place = {}) {
  const { PATH, HOME } = process.env
  const options = { cwd: project, env: { PATH, HOME, NO_COLOR: '1', DATA_DIR: folder, ...env } }
  try {
    const { stdout } = await promisify(execFile)(join(project, 'cli/vinr.js'), args, options)
    return { code: 0, output: stdout }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: stdout + stderr }
  }
}

describe('vinr key', () => {
  it('makes a key of the stack’s own workspace where none is named', async () => {
    const { code, output } = await vinr(['key', '--publishable'])
    const { id, key } = JSON.parse(output)
    expect([code, key]).toEqual([0, expect.stringMatching(/^pk_test_/)])
    const { rows } = await shop.owner.query(
      'select workspace, kind, expires_at from api_key where id = $1',
      [id],
    )
    expect(rows).toEqual([{ workspace: shop.workspace, kind: 'publishable', expires_at: null }])
  })

  it('wants the workspace beside a DATABASE_URL', async () => {
    expect(await vinr(['key'], { env: { DATABASE_URL: shop.url } })).toEqual({
      code: 1,
      output: 'With a DATABASE_URL the workspace must be named.\n',
    })
  })

  it('--expires ends it at that time: one that has passed is no key, one to come is', async () => {
    const read = async (expires: string) => {
      const { output } = await vinr(['key', '--expires', expires])
      return (await shop.get('/v1/payments', JSON.parse(output).key)).status
    }
    expect(await read('2020-01-01')).toBe(401)
    expect(await read(new Date(Date.now() + 3_600_000).toISOString())).toBe(200)
  })
})

describe('vinr reconcile', () => {
  it('exits with 0 where the books hold, and with 1 and the line where one does not', async () => {
    expect(await vinr(['reconcile'])).toEqual({ code: 0, output: 'The books hold.\n' })
    const { account } = await redeem(shop)
    const add = (points: number) =>
      shop.owner.query('update account set balance = balance + $2 where id = $1', [account, points])
    await add(1)
    const { code, output } = await vinr(['reconcile'])
    await add(-1)
    expect(code).toBe(1)
    expect(output).toContain(`${shop.workspace}  ${account}  `)
    expect(output).toMatch(/\n\d+ lines do not hold\.\n$/)
    expect((await vinr(['reconcile'])).code).toBe(0)
  })

  it('--runs exits with 0 where whatever waits has its run, and with 1 and its name where not', async () => {
    const { redemption } = await redeem(shop)
    const runs = () => vinr(['reconcile', '--runs'], { env: temporal })
    const run = await startedRun(shop.engine, redemption)
    expect(await runs()).toEqual({ code: 0, output: 'Whatever waits has its run.\n' })
    await run.terminate('by mistake')
    // visibility lists what was terminated for a moment longer
    await expect.poll(runs).toEqual({
      code: 1,
      output: `${shop.workspace}  redemption  ${redemption}: no run, and no outbox row\n1 workflows have no run.\n`,
    })
  })
})

describe('vinr openapi --check', () => {
  it('exits with 1 where openapi.json is not what the code says, and writes nothing', async () => {
    const project = join(folder, 'clone')
    for (const part of ['api', 'app', 'cli', 'db', 'domain', 'temporal', 'package.json']) {
      await cp(join(PROJECT, part), join(project, part), { recursive: true })
    }
    await symlink(join(PROJECT, 'node_modules'), join(project, 'node_modules'))
    const stale = (await readFile(join(PROJECT, 'openapi.json'), 'utf8')).replace(
      '/v1/loyalty/redemptions',
      '/v1/loyalty/spends',
    )
    const document = join(project, 'openapi.json')
    await writeFile(document, stale)
    expect(await vinr(['openapi', '--check'], { project })).toEqual({
      code: 1,
      output: 'openapi.json is stale: npm run openapi, and commit it\n',
    })
    expect(await readFile(document, 'utf8')).toBe(stale)
    expect((await vinr(['openapi'], { project })).code).toBe(0)
    expect((await vinr(['openapi', '--check'], { project })).code).toBe(0)
  })
})
