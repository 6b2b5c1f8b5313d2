import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redemptionActivities } from '../../activities/redemption.ts'
import { redemptionCommands } from '../../app/redemptions.ts'
import { transactionCommands } from '../../app/transactions.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { Runs } from '../support/property.ts'
import { ModelAccount } from './model.ts'

/** One thing that can happen to a member's points. Times are hours of a simulated clock. */
type Step =
  | { do: 'credit'; points: number; livesHours: number | null }
  | { do: 'spend'; points: number }
  | { do: 'clawback'; points: number }
  | { do: 'redeem'; reward: number }
  | { do: 'release'; which: number }
  | { do: 'reverse part'; which: number; share: number }
  | { do: 'wait'; hours: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('credit' as const),
    points: fc.integer({ min: 1, max: 300 }),
    livesHours: fc.option(fc.integer({ min: 1, max: 60 })),
  }),
  fc.record({ do: fc.constant('spend' as const), points: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ do: fc.constant('clawback' as const), points: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ do: fc.constant('redeem' as const), reward: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ do: fc.constant('release' as const), which: fc.nat(20) }),
  fc.record({
    do: fc.constant('reverse part' as const),
    which: fc.nat(20),
    share: fc.integer({ min: 1, max: 99 }),
  }),
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 24 }) }),
)

const COSTS = [50, 120, 200]
const HOUR_MS = 3_600_000
const workspace = newId('ws')
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
  for (const [index, cost] of COSTS.entries()) {
    await db.owner.query(
      `insert into reward (workspace, id, program, name, type, cost, value)
       values ($1, $2, 'prog_default', 'r', 'discount_amount', $3, '{"amount": 100, "currency": "EUR"}')`,
      [workspace, `rwd_${index}`, cost],
    )
  }
})
afterAll(() => db.drop())

test('whatever happens in whatever order, balance and every lot are what a small model says, and the books hold', async () => {
  const runs = new Runs({ withinMs: 60_000, least: 15 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      runs.of(async (steps) => {
        const history = await History.begin()
        for (const one of steps) await history.apply(one)
        await history.compare()
      }),
    ),
    { numRuns: runs.numRuns },
  )
  expect(await db.reconcile()).toEqual([])
}, 300_000)

type Hold = { id: string; debit: number; left: number; reversed: number }

class History {
  readonly model = new ModelAccount()
  readonly held: Hold[] = []
  // starts at now: a create refuses a start too long ago, but never one ahead
  nowMs = Date.now() + HOUR_MS
  readonly account: string
  readonly points = transactionCommands({ pool: db.pool })
  readonly redemptions = {
    ...redemptionActivities({ pool: db.pool }),
    ...redemptionCommands({ pool: db.pool }),
  }

  constructor(account: string) {
    this.account = account
  }

  static async begin(): Promise<History> {
    const account = newId('loy')
    await db.owner.query(
      `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
      [workspace, account],
    )
    return new History(account)
  }

  get at(): string {
    return new Date(this.nowMs).toISOString()
  }

  async apply(one: Step): Promise<void> {
    this.nowMs += 1_000
    switch (one.do) {
      case 'wait':
        this.nowMs += one.hours * HOUR_MS
        return
      case 'credit':
        return this.credit(one.points, one.livesHours)
      case 'spend':
        return this.debit('adjust', one.points)
      case 'clawback':
        return this.debit('clawback', one.points)
      case 'redeem':
        return this.redeem(one.reward)
      case 'release':
        return this.giveBack(one.which, null)
      case 'reverse part':
        return this.giveBack(one.which, one.share)
    }
  }

  private async credit(points: number, livesHours: number | null): Promise<void> {
    const dueMs = livesHours === null ? null : this.nowMs + livesHours * HOUR_MS
    await this.post('adjust', points, dueMs)
    this.model.expire(this.nowMs)
    this.model.credit(points, dueMs)
  }

  private async debit(type: 'adjust' | 'clawback', points: number): Promise<void> {
    const { outcome } = await this.post(type, -points, null)
    this.model.expire(this.nowMs)
    const done = this.model.debit(points, type === 'clawback')
    expect(outcome).toBe(done ? 'posted' : 'refused')
  }

  private post(type: 'adjust' | 'clawback', amount: number, dueMs: number | null) {
    return this.points.postTransaction({
      workspace,
      account: this.account,
      type,
      amount,
      reason: 'test',
      operation: newId('op'),
      fingerprint: 'f',
      at: this.at,
      expiresAt: dueMs === null ? null : new Date(dueMs).toISOString(),
      batch: null,
      source: null,
      metadata: {},
      allowNegative: type === 'clawback',
    })
  }

  private async redeem(reward: number): Promise<void> {
    const id = newId('rdm')
    const { outcome } = await this.redemptions.createRedemption({
      workspace,
      redemption: id,
      account: this.account,
      reward: `rwd_${reward}`,
      quantity: 1,
      at: this.at,
      dueAt: new Date(this.nowMs + 365 * 24 * HOUR_MS).toISOString(),
      holdMinutes: 30,
      code: id,
      fingerprint: 'f',
      shipping: null,
      metadata: {},
    })
    this.model.expire(this.nowMs)
    const cost = COSTS[reward] ?? 0
    const done = this.model.debit(cost, false)
    expect(outcome).toBe(done ? 'created' : 'refused')
    if (done) this.held.push({ id, debit: this.model.debits.length - 1, left: cost, reversed: 0 })
  }

  /** All of a redemption (release), or a share of it in percent (reverse, once it is applied). */
  private async giveBack(which: number, share: number | null): Promise<void> {
    const one = this.held[which % Math.max(this.held.length, 1)]
    if (!one || one.left === 0) return
    const who = {
      workspace,
      redemption: one.id,
      at: this.at,
      operation: newId('op'),
      fingerprint: 'f',
      reason: 'test',
    }
    const points = share === null ? one.left : Math.max(1, Math.floor((one.left * share) / 100))
    if (share === null && one.reversed === 0) await this.redemptions.cancelRedemption(who)
    else {
      await db.owner.query(`update redemption set status = 'applied' where id = $1`, [one.id])
      await db.owner.query('delete from workflow_outbox where workflow_id = $1', [one.id])
      const { refusal } = await this.redemptions.reverseRedemption({ ...who, points })
      expect(refusal).toBeUndefined()
      one.reversed += points
    }
    this.model.expire(this.nowMs)
    this.model.giveBack(one.debit, points, this.nowMs)
    one.left -= points
  }

  async compare(): Promise<void> {
    const balance = await db.owner.query('select balance from account where id = $1', [
      this.account,
    ])
    const lots = await db.owner.query(
      'select remaining, points from lot where account = $1 order by earned_at, id',
      [this.account],
    )
    // what is due and not yet written off is no difference: the model is only brought up when something happens
    expect({ balance: balance.rows[0].balance, lots: lots.rows }).toEqual({
      balance: this.model.balance,
      lots: this.model.lots.map(({ remaining, points }) => ({ remaining, points })),
    })
  }
}
