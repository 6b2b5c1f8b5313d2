import { afterAll, beforeAll, expect, test } from 'vitest'
import { redemptionCommands } from '../../app/redemptions.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

const workspace = newId('ws')
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
afterAll(() => db.drop())

/** 50 at once on an account that affords 10 (5,000 points, 500 each). */
async function storm(account: string): Promise<Record<string, number>> {
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const redemption = newId('rdm')
      try {
        const result = await redemptionCommands({ pool: db.pool }).createRedemption({
          workspace,
          redemption,
          account,
          reward: 'rwd_fivecredit',
          quantity: 1,
          holdMinutes: 1,
          code: redemption,
          fingerprint: 'f',
          shipping: null,
          metadata: {},
        })
        return result.outcome
      } catch {
        return 'failed'
      }
    }),
  )
  return Object.fromEntries(
    [...new Set(outcomes)].map((name) => [name, outcomes.filter((o) => o === name).length]),
  )
}

test('50 redemptions at once on an account that affords 10: 10 succeed, 40 are refused, the books hold', async () => {
  expect(await storm('loy_9f2k')).toEqual({ created: 10, refused: 40 })
  expect(await db.reconcile()).toEqual([])
})

test('without the account lock the same storm does not hold: the race above can fail', async () => {
  const { rows } = await db.owner.query(
    `select pg_get_functiondef('ledger_private.account_locked'::regproc) as source`,
  )
  const source: string = rows[0].source
  const unlocked = source.replace(/perform pg_advisory_xact_lock\([^;]*;/, '')
  expect(unlocked).not.toBe(source)
  await db.owner.query(unlocked)
  try {
    const outcomes = await storm('loy_8sd2k1')
    const broken = (await db.reconcile()).length
    expect(broken > 0 || outcomes.created !== 10 || outcomes.refused !== 40).toBe(true)
  } finally {
    await db.owner.query(source)
  }
})
