import { WorkflowNotFoundError } from '@temporalio/client'
import request from 'supertest'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { accountExpiryWorkflowId, WORKFLOW } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  expect(broken).toEqual([])
})

const SMALL = 3
const LARGE = 1_001

async function members(n: number): Promise<string[]> {
  const ids = Array.from({ length: n }, () => newId('loy'))
  await shop.owner.query(
    `insert into account (workspace, id, program) select $1, unnest($2::text[]), 'prog_default'`,
    [shop.workspace, ids],
  )
  return ids
}

async function imported(accounts: string[], expiresAt: Date): Promise<void> {
  const rows = accounts.map((account) => ({ account, amount: 10, expires_at: expiresAt }))
  const { status, body } = await request(shop.app)
    .post('/v1/loyalty/imports')
    .set('X-Api-Key', shop.keys.secretKey)
    .set('Content-Type', 'application/x-ndjson')
    .send(rows.map((row) => JSON.stringify(row)).join('\n'))
  expect([status, body.error]).toEqual([201, undefined])
  await expect
    .poll(async () => (await shop.get(`/v1/loyalty/imports/${body.id}`)).body.posted, {
      timeout: 30_000,
    })
    .toBe(accounts.length)
}

const runOf = (account: string) =>
  shop.engine.client.workflow.getHandle(accountExpiryWorkflowId(shop.workspace, account)).describe()

/** Accounts whose points are written off, and whether each row bears its lot's own date. */
const expired = async (accounts: string[]) =>
  (
    await shop.owner.query(
      `select count(*)::int as n, coalesce(bool_and(t.at = l.expires_at), true) as to_the_date
       from ptx t join lot l on l.workspace = t.workspace and l.account = t.account
       where t.type = 'expire' and t.account = any ($1)`,
      [accounts],
    )
  ).rows[0]

const batch = () =>
  shop.engine.client.workflow.execute(WORKFLOW.expiryBatch, {
    workflowId: newId('run'),
    taskQueue: shop.engine.taskQueue,
    args: [],
  })

/** Everything that bears the accounts' date moves to another: its day has come. */
async function moveDates(accounts: string[], to: string): Promise<void> {
  for (const statement of [
    `update lot set expires_at = ${to} where account = any ($1)`,
    `update account set lots_due_from = ${to}, expiry_wake_at = ${to} where id = any ($1)`,
  ]) {
    await shop.owner.query(statement, [accounts])
  }
}

it('dates of an import have no run, cannot be spent once due, and the next batch writes off every one', async () => {
  const accounts = await members(LARGE)
  await imported(accounts, new Date(Date.now() + 86_400_000))
  await expect(runOf(accounts[0] ?? '')).rejects.toThrow(WorkflowNotFoundError)
  await moveDates(accounts, `date_trunc('second', now())`)
  const spend = { account: accounts[0], amount: -1, reason: 'x' }
  expect((await shop.post('/v1/loyalty/transactions', spend)).body.error).toMatchObject({
    code: 'insufficient_points',
    available: 0,
  })
  expect((await batch()).accounts).toBeGreaterThanOrEqual(LARGE - 1)
  expect(await expired(accounts)).toEqual({ n: LARGE, to_the_date: true })
})

it('a midnight of the program, which an import brings to many, is the batch’s as well', async () => {
  const accounts = await members(SMALL)
  const midnight = new Date(
    `${new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)}T00:00:00Z`,
  )
  await imported(accounts, midnight)
  await expect(runOf(accounts[0] ?? '')).rejects.toThrow(WorkflowNotFoundError)
  await moveDates(accounts, `date_trunc('day', now())`)
  await batch()
  expect(await expired(accounts)).toEqual({ n: SMALL, to_the_date: true })
  const { rows } = await shop.owner.query(
    'select count(*)::int as late from account where expiry_wake_at <= now()',
  )
  expect(rows[0].late).toBe(0)
})
