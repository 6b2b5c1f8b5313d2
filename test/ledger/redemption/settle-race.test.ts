import { afterAll, beforeAll, expect, test } from 'vitest'
import { redemptionActivities } from '../../../activities/redemption.ts'
import { redemptionCommands } from '../../../app/redemptions.ts'
import { retryOnConflict } from '../../../app/retry-on-conflict.ts'
import type { Pool } from '../../../db/pool.ts'
import { readPayment, readRedemption } from '../../../db/snapshot.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { attach, report } from '../../support/attach.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import type { House } from '../../support/house.ts'

// More where somebody has the time: RACES=10000 npx vitest run test/redemption/settle-race.test.ts
const RACES = Number(process.env.RACES || 40)
const AT_ONCE = 8
const MOST_MS = 60_000 + RACES * 200

const TERMINAL_EVENTS = [
  'loyalty.redemption.applied',
  'loyalty.redemption.released',
  'loyalty.redemption.reversed',
]

const workspace = newId('ws')
let db: TestDatabase
let house: House
const commandsOn = (pool: Pool) => ({
  ...redemptionActivities({ pool }),
  ...redemptionCommands({ pool }),
})
let commands: ReturnType<typeof commandsOn>

beforeAll(async () => {
  db = await testDatabase()
  const keys = await seedWorkspace(db.pool, workspace, 'Test shop')
  house = { ...db, workspace, keys } as House // all of it that a payment needs
  commands = commandsOn(db.pool)
  await db.owner.query('update reward set cost = 1') // five thousand of them for each member
  await db.owner.query(
    `insert into account (workspace, id, program)
     select $1, 'loy_race' || n, 'prog_default' from generate_series(0, $2 - 1) n`,
    [workspace, AT_ONCE],
  )
  for (let n = 0; n < AT_ONCE; n++) {
    await db.owner.query(
      `select ledger.points_post($1, $2, 'adjust', $3, 'test', $2, 'f', now(), null, null, null, '{}', false)`,
      [workspace, `loy_race${n}`, RACES],
    )
  }
})
afterAll(async () => {
  expect(await db.reconcile()).toEqual([])
  await db.drop()
})

/** A redemption that is overdue, attached to a payment still open. */
async function overdue(account: string): Promise<{ redemption: string; payment: string }> {
  const redemption = newId('rdm')
  const created = await commands.createRedemption({
    workspace,
    redemption,
    account,
    reward: 'rwd_fivecredit',
    quantity: 1,
    holdMinutes: 30,
    code: redemption,
    fingerprint: 'race',
    shipping: null,
    metadata: {},
  })
  expect(created.outcome).toBe('created')
  const payment = await attach(house, redemption, 'requires_payment')
  await db.owner.query(
    `update redemption set expires_at = date_trunc('milliseconds', now()) where workspace = $1 and id = $2`,
    [workspace, redemption],
  )
  return { redemption, payment }
}

/** Its payment ends, a cancel, an operator's, and the deadline, in one moment. */
async function race(end: 'completed' | 'failed', account: string) {
  const { redemption, payment } = await overdue(account)
  const who = { workspace, redemption, at: new Date().toISOString() }
  const command = () => ({ ...who, operation: newId('op'), fingerprint: 'race' })
  const pay = async () => {
    await report(house, payment, end)
    if (end === 'completed') await commands.applyRedemption({ ...who, payment })
    else await commands.releaseFailedRedemption({ ...who, payment, reason: 'payment_failed' })
  }
  const ways = [
    pay,
    () => commands.cancelRedemption({ ...command(), reason: 'canceled' }),
    () => commands.cancelRedemption({ ...command(), reason: 'canceled_by_operator' }),
    () => commands.releaseDueRedemption(who),
  ]
  await Promise.all(
    ways
      .sort(() => Math.random() - 0.5)
      .map((way) => retryOnConflict(async () => void (await way()))),
  )
  return outcomeOf(redemption, payment)
}

async function outcomeOf(redemption: string, payment: string): Promise<string> {
  const { rows } = await db.owner.query(
    `select to_jsonb(d) as redemption, to_jsonb(p) as payment, o.facts, o.change,
       (select count(*)::int from event e
        where e.workspace = d.workspace and e.object = d.id and e.type = any($4)) as ends,
       (select count(*)::int from ptx t where t.workspace = d.workspace and t.redemption = d.id) as movements
     from redemption d
     join payment p on p.workspace = d.workspace and p.id = $3
     left join workflow_outbox o on o.workspace = d.workspace and o.workflow_id = d.id
     where d.workspace = $1 and d.id = $2`,
    [workspace, redemption, payment, TERMINAL_EVENTS],
  )
  const [found] = rows
  const { status, revision } = readRedemption(found.redemption)
  const { discounts } = readPayment(found.payment)
  const isApplied = status === 'applied'
  expect([isApplied || status === 'released', found.ends]).toEqual([true, 1])
  expect(found.movements).toBe(isApplied ? 1 : 2) // the debit, and what came back
  expect([found.change, found.facts.status]).toEqual(['ended', status])
  expect(revision).toBeGreaterThan(0)
  if (isApplied) expect(discounts[0]).not.toHaveProperty('removed_at')
  return status
}

test.for(['completed', 'failed'] as const)(
  'pay, cancel, an operator’s cancel and the deadline in one moment, of a payment that ends %s: one outcome each, and the books hold',
  { timeout: MOST_MS },
  async (end) => {
    const counts: Record<string, number> = {}
    const rounds = Array.from({ length: RACES / 2 }, (_, n) => n)
    const racer = async (account: string) => {
      while (rounds.pop() !== undefined) {
        const outcome = await race(end, account)
        counts[outcome] = (counts[outcome] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => racer(`loy_race${n}`)))
    expect((counts.applied ?? 0) + (counts.released ?? 0)).toBe(RACES / 2)
    if (end === 'failed') expect(counts.applied).toBeUndefined()
    const { rows } = await db.owner.query(
      `select coalesce(sum(balance), 0)::int as points from account where workspace = $1 and id like 'loy_race%'`,
      [workspace],
    )
    const { rows: spent } = await db.owner.query(
      `select count(*)::int as n from redemption where workspace = $1 and status = 'applied'`,
      [workspace],
    )
    expect(rows[0].points).toBe(RACES * AT_ONCE - spent[0].n)
  },
)
