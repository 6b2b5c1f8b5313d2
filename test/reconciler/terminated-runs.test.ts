import { afterAll, beforeAll, expect, test } from 'vitest'
import { findMissingRuns } from '../../app/missing-runs.ts'
import { accountExpire } from '../../db/ledger.gen.ts'
import { newId } from '../../domain/ids.ts'
import {
  accountExpiryWorkflowId,
  tierReassessmentWorkflowId,
  tierReviewWorkflowId,
  WORKFLOW,
} from '../../temporal/names.ts'
import { type House, openHouse } from '../support/house.ts'
import { redeem, redemptionOf } from '../support/redeem.ts'
import { eventsOf, redeemItem } from '../support/redeem-item.ts'
import { startedRun } from '../support/run.ts'

let house: House

beforeAll(async () => {
  house = await openHouse()
})
afterAll(async () => {
  const broken = await house.reconcile()
  await house.close()
  expect(broken).toEqual([])
})

const DAY_MS = 86_400_000
const LONG_AGO = new Date(Date.now() - 10 * 60_000)
const later = (ms: number) => new Date(Date.now() + ms)

/** One run of the reconciler, as its schedule starts it: the kinds of which something was found. */
async function reconciled(): Promise<Record<string, number>> {
  const findings = await house.engine.client.workflow.execute(WORKFLOW.reconciler, {
    workflowId: newId('run'),
    taskQueue: house.engine.taskQueue,
    args: [],
  })
  return Object.fromEntries(
    Object.entries(findings).filter((entry): entry is [string, number] => Number(entry[1]) > 0),
  )
}

async function member(): Promise<string> {
  const account = newId('loy')
  await house.owner.query(
    `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
    [house.workspace, account],
  )
  return account
}

const credit = (account: string, amount: number, more: { type?: 'earn'; expiresAt?: Date }) =>
  house.commands.postTransaction({
    workspace: house.workspace,
    account,
    type: more.type ?? 'adjust',
    amount,
    reason: 'x',
    operation: newId('op'),
    fingerprint: 'f',
    at: new Date().toISOString(),
    expiresAt: more.expiresAt?.toISOString() ?? null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })

async function expiring(...dates: Date[]): Promise<string> {
  const account = await member()
  for (const expiresAt of dates) await credit(account, 10, { expiresAt })
  return account
}

const expiryRun = (account: string) => accountExpiryWorkflowId(house.workspace, account)
const reviewRun = (account: string) => tierReviewWorkflowId(house.workspace, account)

/** A member whose tier can fall. */
async function tiered(): Promise<string> {
  const tiers = [
    { name: 'Bronze', rank: 0, threshold: 0, multiplier: 1 },
    { name: 'Silver', rank: 1, threshold: 500, multiplier: 1 },
  ]
  const period = { type: 'rolling', months: 12 }
  const config = { qualifyOn: 'points', period, graceDays: 30, tiers }
  await house.owner.query(`update program set tier_config = $1 where id = 'prog_default'`, [config])
  const account = await member()
  await credit(account, 600, { type: 'earn' })
  await house.owner.query(`update program set tier_config = null where id = 'prog_default'`)
  return account
}

async function imported(status: 'running' | 'paused'): Promise<string> {
  const upload = { workspace: house.workspace, id: newId('upl') }
  const id = newId('imp')
  const row = {
    line: 1,
    account: await member(),
    amount: 5,
    reason: 'x',
    expires_at: null,
    metadata: {},
  }
  await house.commands.openUpload(upload, 4)
  await house.commands.keepChunk(upload, { no: 0, rows: JSON.stringify([row]) })
  await house.commands.createBulk(
    {
      workspace: house.workspace,
      id,
      kind: 'import',
      batch: id,
      total: 1,
      fingerprint: 'f',
      createdAt: new Date(),
      progressedAt: new Date(),
      status,
    },
    { id: upload.id, chunks: 1, decimals: new Map() },
  )
  return id
}

const terminate = async (workflowId: string) =>
  (await startedRun(house.engine, workflowId)).terminate('by mistake')

const missing = async () =>
  (await findMissingRuns(house.pool, house.engine)).map((row) => row.workflow_id).sort()

test('whatever waits has its run, or an outbox row; one that was terminated is missed', async () => {
  const { redemption } = await redeem(house)
  const { redemption: item } = await redeemItem(house)
  const [expires, review] = [await expiring(later(DAY_MS)), await tiered()]
  const ids = [redemption, item, expiryRun(expires), reviewRun(review)].sort()
  for (const id of ids) await startedRun(house.engine, id)
  expect(await missing()).toEqual([])
  for (const id of ids) await terminate(id)
  // visibility lists what was terminated for a moment longer
  await expect.poll(missing, { timeout: 20_000 }).toEqual(ids)
  await accountExpire(house.pool, {
    workspace: house.workspace,
    account: expires,
    at: new Date(),
    resume: true,
  })
  expect(await missing()).not.toContain(expiryRun(expires))
})

test('a redemption whose run was terminated is released, by two reconcilers at once, once', async () => {
  const { redemption } = await redeem(house)
  await terminate(redemption)
  await house.owner.query('update redemption set expires_at = $2 where id = $1', [
    redemption,
    LONG_AGO,
  ])
  const found = await Promise.all([reconciled(), reconciled()])
  expect(found).toContainEqual(expect.objectContaining({ redemptions: 1 }))
  expect(await redemptionOf(house, redemption)).toMatchObject({
    status: 'released',
    reason: 'expired',
  })
  expect(await eventsOf(house, redemption)).toEqual(['created', 'released'])
  expect(await reconciled()).not.toHaveProperty('redemptions')
}, 120_000)

test('an item whose run was terminated has its notice sent, and a run for the next one', async () => {
  const { redemption } = await redeemItem(house)
  await terminate(redemption)
  await house.owner.query('update redemption set overdue_at = $2 where id = $1', [
    redemption,
    LONG_AGO,
  ])
  expect(await reconciled()).toMatchObject({ fulfillments: 1 })
  expect(await eventsOf(house, redemption)).toEqual(['created', 'fulfillment_overdue'])
  const run = house.engine.client.workflow.getHandle(redemption)
  await expect
    .poll(async () => (await run.describe()).status.name, { timeout: 20_000 })
    .toBe('RUNNING')
})

test('an account whose run was terminated expires what is due, and has a run for its next date', async () => {
  const account = await expiring(later(DAY_MS), later(9 * DAY_MS))
  await terminate(expiryRun(account))
  await house.owner.query(
    `with lots as (update lot set expires_at = $2 where account = $1 and id = (select min(id) from lot where account = $1))
     update account set lots_due_from = $2, expiry_wake_at = $2 where id = $1`,
    [account, LONG_AGO],
  )
  expect(await reconciled()).toMatchObject({ expiries: 1 })
  const { rows } = await house.owner.query(
    'select balance::int as balance from account where id = $1',
    [account],
  )
  expect(rows).toEqual([{ balance: 10 }])
  await expect
    .poll(
      async () =>
        (await (await startedRun(house.engine, expiryRun(account))).describe()).status.name,
      {
        timeout: 20_000,
      },
    )
    .toBe('RUNNING')
})

test('a tier whose run was terminated is reviewed, and has a run for the next review', async () => {
  const account = await tiered()
  await terminate(reviewRun(account))
  await house.owner.query(
    `update program set tier_config = (
       select jsonb_build_object('qualifyOn', 'points', 'graceDays', 30, 'period', '{"type": "rolling", "months": 12}'::jsonb,
         'tiers', '[{"name": "Silver", "rank": 1, "threshold": 500, "multiplier": 1}]'::jsonb)) where id = 'prog_default'`,
  )
  await house.owner.query('update account set tier_review_at = $2 where id = $1', [
    account,
    LONG_AGO,
  ])
  expect(await reconciled()).toMatchObject({ tiers: 1 })
  await expect
    .poll(
      async () =>
        (await (await startedRun(house.engine, reviewRun(account))).describe()).status.name,
      {
        timeout: 20_000,
      },
    )
    .toBe('RUNNING')
  await house.owner.query(`update program set tier_config = null where id = 'prog_default'`)
})

test('an import whose run was terminated is gone on with', async () => {
  const id = await imported('paused')
  await terminate(id)
  await house.owner.query(`update bulk set status = 'running', progressed_at = $2 where id = $1`, [
    id,
    LONG_AGO,
  ])
  expect(await reconciled()).toMatchObject({ bulks: 1 })
  const status = async () =>
    (await house.owner.query('select status from bulk where id = $1', [id])).rows[0].status
  await expect.poll(status, { timeout: 20_000 }).toBe('completed')
})

test('a walk over a program’s members that nobody makes is made', async () => {
  await house.owner.query(
    `insert into tier_reassessment (workspace, program, progressed_at) values ($1, 'prog_default', $2)`,
    [house.workspace, LONG_AGO],
  )
  expect(await reconciled()).toMatchObject({ tiers: 1 })
  const run = await startedRun(
    house.engine,
    tierReassessmentWorkflowId(house.workspace, 'prog_default'),
  )
  expect(await run.result()).toMatchObject({ program: 'prog_default' })
})
