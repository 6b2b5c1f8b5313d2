import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  accountExpire,
  accountMerge,
  expiryChecksEarlier,
  pointsPost,
} from '../../../db/ledger.gen.ts'
import { transact } from '../../../db/workspace-client.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { expirySpreadMs } from '../../../domain/expiry.ts'
import { newId } from '../../../domain/ids.ts'
import { accountExpiryWorkflowId, WORKFLOW } from '../../../temporal/names.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

let db: TestDatabase
const workspace = newId('ws')

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
beforeEach(() => db.owner.query('delete from workflow_outbox'))
afterAll(async () => {
  const broken = await db.reconcile()
  await db.drop()
  expect(broken).toEqual([])
})

const DAY_MS = 86_400_000
const later = (ms: number) => new Date(Date.now() + ms)

async function member(): Promise<string> {
  const account = newId('loy')
  await db.owner.query(
    `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
    [workspace, account],
  )
  return account
}

const credit = (account: string, amount: number, expiresAt: Date | null) =>
  pointsPost(db.pool, {
    workspace,
    account,
    type: 'adjust',
    amount,
    reason: 'x',
    operation: newId('op'),
    fingerprint: 'f',
    at: new Date().toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  })

const rows = async () =>
  (
    await db.owner.query(
      'select workflow_id, workflow_type, input, facts, start_at, change from workflow_outbox order by workflow_id',
    )
  ).rows

const rowOf = (account: string, at: Date, change: string, shared = false) => {
  const wakesAt = at.toISOString()
  return {
    workflow_id: accountExpiryWorkflowId(workspace, account),
    workflow_type: WORKFLOW.accountExpiry,
    input: { workspace, account, wakesAt },
    facts: { wakesAt, shared },
    start_at: new Date(at.getTime() + (shared ? expirySpreadMs(account) : 0)),
    change,
  }
}

test('a date that an account shares with others is checked as long after it in SQL as in a workflow', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }), { minLength: 50 }),
      async (names) => {
        const accounts = [
          ...names.map((name) => name.replaceAll('\0', '')),
          newId('loy'),
          'loy_abc123',
        ]
        const { rows } = await db.owner.query(
          'select ledger_private.expiry_spread_ms(a) as ms from unnest($1::text[]) with ordinality x (a, n) order by n',
          [accounts],
        )
        expect(rows.map(({ ms }) => ms)).toEqual(accounts.map(expirySpreadMs))
      },
    ),
    { numRuns: 20 },
  )
})

test('points with a date write the outbox row of their account’s run; a later date writes none, an earlier one moves it', async () => {
  const account = await member()
  await credit(account, 10, null)
  expect(await rows()).toEqual([])
  const far = later(10 * DAY_MS)
  await credit(account, 10, far)
  expect(await rows()).toEqual([rowOf(account, far, 'new')])
  await credit(account, 10, later(20 * DAY_MS))
  expect(await rows()).toEqual([rowOf(account, far, 'new')])
  const near = later(5 * DAY_MS)
  await credit(account, 10, near)
  expect(await rows()).toEqual([rowOf(account, near, 'changed')])
})

test('a midnight of the program is started spread out', async () => {
  const account = await member()
  const midnight = new Date(
    `${later(3 * DAY_MS)
      .toISOString()
      .slice(0, 10)}T00:00:00Z`,
  )
  await credit(account, 10, midnight)
  expect(await rows()).toEqual([rowOf(account, midnight, 'new', true)])
})

test('points that come back write the row of a date that the run does not know any more', async () => {
  const account = await member()
  const due = later(DAY_MS)
  await credit(account, 10, due)
  const { transaction } = await credit(account, -10, null)
  await accountExpire(db.pool, { workspace, account, at: new Date() }) // as the run did, and ended
  await db.owner.query('delete from workflow_outbox')
  await db.pool.query('select ledger.points_reverse($1, $2, $3, $4, $5, $6, now())', [
    workspace,
    transaction?.id,
    'x',
    newId('op'),
    'f',
    {},
  ])
  expect(await rows()).toEqual([rowOf(account, due, 'new')])
})

test('a merge writes the survivor’s row where what came is due earlier; so does the check of the merged account’s run', async () => {
  const [source, target] = [await member(), await member()]
  const [near, far] = [later(2 * DAY_MS), later(9 * DAY_MS)]
  await credit(source, 10, near)
  await credit(target, 10, far)
  await db.owner.query('delete from workflow_outbox')
  const request = { workspace, route: '', key: null, fingerprint: '' }
  await accountMerge(db.pool, { ...request, source, target, at: new Date() })
  expect(await rows()).toEqual([rowOf(target, near, 'changed')])
  await db.owner.query('delete from workflow_outbox')
  await accountExpire(db.pool, { workspace, account: target, at: new Date() })
  expect(await rows()).toEqual([])
  await accountExpire(db.pool, { workspace, account: source, at: new Date() })
  expect(await rows()).toEqual([rowOf(target, near, 'changed')])
})

test('a program that warns earlier writes no row, however many accounts: their checks are the batch’s, at once', async () => {
  const account = await member()
  const due = later(10 * DAY_MS)
  await credit(account, 10, due)
  await db.owner.query('delete from workflow_outbox')
  await db.owner.query(`update program set expiry_warn_days_before = 30 where id = 'prog_default'`)
  const at = new Date()
  await transact(db.pool, workspace, (tx) =>
    expiryChecksEarlier(tx, { workspace, program: 'prog_default', at }),
  )
  expect(await rows()).toEqual([])
  const found = await db.owner.query('select account from ledger.expiry_checks_overdue($1, 10)', [
    at,
  ])
  expect(found.rows.map((row) => row.account)).toContain(account)
  await db.owner.query(
    `update program set expiry_warn_days_before = null where id = 'prog_default'`,
  )
})
