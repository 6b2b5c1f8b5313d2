import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { bulkCommands } from '../../../app/bulk.ts'
import { programCommands } from '../../../app/programs.ts'
import { pointsPost, tierReview } from '../../../db/ledger.gen.ts'
import type { TierConfig } from '../../../db/schema/index.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import {
  tierReassessmentWorkflowId,
  tierReviewWorkflowId,
  WORKFLOW,
} from '../../../temporal/names.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

let db: TestDatabase
const workspace = newId('ws')

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
  await db.owner.query(`update program set tier_config = $1 where id = 'prog_default'`, [YEAR])
})
beforeEach(() => db.owner.query('delete from workflow_outbox'))
afterAll(async () => {
  const broken = await db.reconcile()
  await db.drop()
  expect(broken).toEqual([])
})

const DAY_MS = 86_400_000
const YEAR: TierConfig = {
  qualifyOn: 'points',
  period: { type: 'rolling', months: 12 },
  graceDays: 30,
  tiers: [
    { name: 'Bronze', rank: 0, threshold: 0, multiplier: 1 },
    { name: 'Silver', rank: 1, threshold: 500, multiplier: 1 },
    { name: 'Gold', rank: 2, threshold: 2_000, multiplier: 1 },
  ],
}
const request = () => ({ workspace, route: 'PATCH /x', key: null, fingerprint: newId('op') })

const rows = async () =>
  (
    await db.owner.query(
      'select workflow_id, workflow_type, input, facts, start_at, change from workflow_outbox order by workflow_id',
    )
  ).rows

async function member(): Promise<string> {
  const account = newId('loy')
  await db.owner.query(
    `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
    [workspace, account],
  )
  return account
}

const earn = (account: string, amount: number, at = new Date()) =>
  pointsPost(db.pool, {
    workspace,
    account,
    type: 'earn',
    amount,
    reason: 'x',
    operation: newId('op'),
    fingerprint: 'f',
    at: at.toISOString(),
    expiresAt: null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })

const reviewOf = async (account: string): Promise<Date> =>
  (await db.owner.query('select tier_review_at from account where id = $1', [account])).rows[0]
    .tier_review_at

test('a promotion writes the outbox row of its review, which a later date does not move', async () => {
  const account = await member()
  await earn(account, 600, new Date(Date.now() - 100 * DAY_MS))
  const at = await reviewOf(account)
  const reviewsAt = at.toISOString()
  const row = {
    workflow_id: tierReviewWorkflowId(workspace, account),
    workflow_type: WORKFLOW.tierReview,
    input: { workspace, account, reviewsAt },
    facts: { reviewsAt },
    start_at: at,
    change: 'new',
  }
  expect(await rows()).toEqual([row])
  await earn(account, 700)
  await tierReview(db.pool, { workspace, account, at: new Date() })
  expect((await reviewOf(account)).getTime()).toBeGreaterThan(at.getTime())
  expect(await rows()).toEqual([row])
})

test('a review that comes earlier, by a change of the tiers, writes the row; changed tiers that of their walk', async () => {
  const account = await member()
  await earn(account, 600)
  const before = await reviewOf(account)
  await db.owner.query('delete from workflow_outbox')
  const tiers = YEAR.tiers.map((tier) => ({ ...tier, threshold: tier.threshold * 2 }))
  const { updateProgram } = programCommands({ pool: db.pool })
  await updateProgram(
    request(),
    'prog_default',
    () => ({ tierConfig: { ...YEAR, tiers } }),
    new Date(),
  )
  const walk = { workspace, program: 'prog_default' }
  expect(await rows()).toMatchObject([
    {
      workflow_id: tierReassessmentWorkflowId(workspace, 'prog_default'),
      workflow_type: WORKFLOW.tierReassessment,
      input: walk,
      facts: {},
      start_at: null,
    },
  ])
  await db.owner.query('delete from workflow_outbox')
  await db.pool.query('select ledger.tier_reassess($1, $2, now())', [workspace, account])
  const after = await reviewOf(account)
  expect(after.getTime()).toBeLessThan(before.getTime())
  expect(await rows()).toMatchObject([
    { facts: { reviewsAt: after.toISOString() }, start_at: after, change: 'changed' },
  ])
  await updateProgram(request(), 'prog_default', () => ({ name: 'Other' }), new Date())
  expect(await rows()).toHaveLength(1)
  await updateProgram(request(), 'prog_default', () => ({ tierConfig: YEAR }), new Date())
})

test('an import or a reversal writes its row where it is created, paused, resumed or canceled, and no other change of it', async () => {
  const { createBulk, changeBulk } = bulkCommands({ pool: db.pool })
  const id = newId('imp')
  const bulk = {
    workspace,
    id,
    kind: 'import' as const,
    batch: id,
    total: 1,
    fingerprint: 'f',
    createdAt: new Date(),
    progressedAt: new Date(),
  }
  const signals = async () => {
    const found = await rows()
    await db.owner.query('delete from workflow_outbox')
    return found.map(({ workflow_id, workflow_type, input, facts, start_at, change }) => {
      expect({ workflow_id, workflow_type, input, start_at }).toEqual({
        workflow_id: id,
        workflow_type: WORKFLOW.bulkRun,
        input: { workspace, bulk: id },
        start_at: null,
      })
      return [facts.status, change]
    })
  }
  expect(await createBulk(bulk)).toMatchObject({ replayed: false })
  expect(await signals()).toEqual([['running', 'changed']])
  expect(await createBulk(bulk)).toMatchObject({ replayed: true })
  expect(await signals()).toEqual([])
  await changeBulk(request(), 'import', id, 'paused')
  expect(await signals()).toEqual([['paused', 'changed']])
  await changeBulk(request(), 'import', id, 'running')
  expect(await signals()).toEqual([['running', 'changed']])
  await changeBulk(request(), 'import', id, 'canceled')
  expect(await signals()).toEqual([['canceled', 'ended']])
})
