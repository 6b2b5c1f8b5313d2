import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takeInPaymentEvent } from '../../../app/payments.ts'
import { transactionCommands } from '../../../app/transactions.ts'
import type { ReportedRefund } from '../../../db/results/payment.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { Runs } from '../../support/property.ts'

/** What takes an earn back: its payment's refunds, and a person, who reverses it by hand. */
type Step =
  | { do: 'refund'; refund: number; percent: number }
  | { do: 'fail'; refund: number }
  | { do: 'reverse' }
  | { do: 'spend' | 'credit'; points: number }
  | { do: 'wait'; hours: number }

const points = fc.integer({ min: 1, max: 120 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      refund: fc.nat(3),
      percent: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), refund: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reverse' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('spend', 'credit'), points }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      hours: fc.integer({ min: 1, max: 500 }),
    }),
  },
)

const EARNED = 100
const CHARGED = 10_000
const HOUR_MS = 3_600_000
const workspace = newId('ws')
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
  await db.owner.query(
    `update program set expiry_mode = 'rolling', expiry_months = 1 where workspace = $1`,
    [workspace],
  )
  await db.owner.query(
    `insert into earning_rule (workspace, id, program, trigger, award, created_at)
     values ($1, 'erl_one', 'prog_default', 'payment.completed',
       '{"per_amount": {"points": 1, "amount": 100, "currency": "eur"}}', '2020-01-01')`,
    [workspace],
  )
})
afterAll(() => db.drop())

const allowNegative = (allowed: boolean) =>
  db.owner.query('update program set clawback_allow_negative = $2 where workspace = $1', [
    workspace,
    allowed,
  ])

describe('an earn that is reversed by hand and refunded, in whatever order and between whatever else', () => {
  test.each([true, false])(
    'never loses more than it brought (below zero allowed: %s)',
    async (allowed) => {
      await allowNegative(allowed)
      const runs = new Runs({ withinMs: 60_000, least: 30 })
      let both = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 2, maxLength: 14 }),
          runs.of(async (steps) => {
            const history = await History.begin()
            for (const one of steps) await history.apply(one)
            const { taken, expired } = await history.books()
            expect(taken).toBeGreaterThanOrEqual(0)
            expect(taken).toBeLessThanOrEqual(EARNED)
            if (allowed && history.reversed && !history.failedSince) {
              expect(taken + expired).toBe(EARNED)
            }
            if (history.reversed && history.refunds.size > 0) both++
          }),
        ),
        { numRuns: runs.numRuns },
      )
      expect(await db.reconcile()).toEqual([])
      expect(both).toBeGreaterThan(runs.made / 6)
    },
    300_000,
  )

  test.each([
    ['reversed, then refunded in full', ['reverse', 100], 100, 0],
    ['refunded in full, then reversed', [100, 'reverse'], 100, 0],
    ['reversed, then refunded by half', ['reverse', 50], 100, 0],
    ['refunded by half, then reversed', [50, 'reverse'], 100, 0],
    ['refunded by half, reversed, refunded by the other half', [50, 'reverse', 50], 100, 0],
    ['refunded by a third twice, reversed in between', [33, 'reverse', 33], 100, 0],
    ['refunded by half, reversed, and the refund fails', [50, 'reverse', 'fail'], 50, 50],
    ['reversed, refunded by half, and the refund fails', ['reverse', 50, 'fail'], 100, 0],
  ] as const)('%s: %j take %i and leave %i', async (_name, steps, taken, balance) => {
    await allowNegative(true)
    const history = await History.begin()
    const half: readonly unknown[] = steps
    for (const [index, one] of steps.entries()) {
      if (one === 'reverse') await history.apply({ do: 'reverse' })
      else if (one === 'fail') await history.apply({ do: 'fail', refund: half.indexOf(50) })
      else await history.apply({ do: 'refund', refund: index, percent: one })
    }
    expect(await history.books()).toMatchObject({ taken, balance })
    expect(await db.reconcile()).toEqual([])
  })
})

class History {
  nowMs = Date.now()
  readonly account = newId('loy')
  readonly customer = newId('op')
  readonly payment = newId('pay')
  readonly refunds = new Map<number, ReportedRefund>()
  readonly points = transactionCommands({ pool: db.pool })
  earn = ''
  reversed = false
  /** A refund failed after the reversal: its share came back. */
  failedSince = false

  static async begin(): Promise<History> {
    const history = new History()
    await db.owner.query(
      `insert into account (workspace, id, program, customer, created_at) values ($1, $2, 'prog_default', $3, $4)`,
      [workspace, history.account, history.customer, new Date(0)],
    )
    await history.report('payment.completed', [])
    const { rows } = await db.owner.query('select id, amount::int from ptx where account = $1', [
      history.account,
    ])
    expect(rows).toMatchObject([{ amount: EARNED }])
    history.earn = rows[0].id
    return history
  }

  async apply(one: Step): Promise<void> {
    this.nowMs += 1_000
    switch (one.do) {
      case 'wait':
        this.nowMs += one.hours * HOUR_MS
        return
      case 'refund': {
        const amount = (CHARGED * one.percent) / 100
        const known = this.refunds.get(one.refund)
        const refund = known ?? { id: `re_${one.refund}_${this.payment}`, amount }
        this.refunds.set(one.refund, refund)
        return this.report('refund.created', [refund])
      }
      case 'fail': {
        const known = this.refunds.get(one.refund)
        if (known === undefined) return
        this.failedSince = true
        return this.report('refund.failed', [{ ...known, status: 'failed' }])
      }
      case 'reverse': {
        const { outcome } = await this.points.reverseTransaction({
          ...this.request(),
          ptx: this.earn,
          reason: 'mistake',
        })
        if (outcome !== 'reversed') return
        this.reversed = true
        this.failedSince = false
        return
      }
      default:
        await this.points.postTransaction({
          ...this.request(),
          account: this.account,
          type: 'adjust',
          amount: one.do === 'spend' ? -one.points : one.points,
          reason: 'test',
          expiresAt: null,
          batch: null,
          source: null,
          allowNegative: false,
        })
    }
  }

  /** What of the earn was taken back, by refunds and by hand, and what of its own lot expired. */
  async books() {
    const { rows } = await db.owner.query(
      `select a.balance::int,
         -(select coalesce(sum(t.amount), 0) from ptx t
           where t.account = a.id and (t.reverses = $2 or t.type = 'clawback'))::int as taken,
         (select coalesce(sum(x.amount), 0) from allocation x join ptx t on t.id = x.debit
           where x.lot = $2 and t.type = 'expire')::int as expired
       from account a where a.id = $1`,
      [this.account, this.earn],
    )
    return rows[0] as { balance: number; taken: number; expired: number }
  }

  private async report(type: string, refunds: ReportedRefund[]): Promise<void> {
    const whole = type === 'payment.completed'
    const { customer, payment: id } = this
    const { failure } = await takeInPaymentEvent(db.pool, {
      workspace,
      provider: 'sandbox',
      endpoint: 'whs_test',
      content: [],
      event: newId('evt'),
      type,
      payload: {},
      at: new Date(this.nowMs).toISOString(),
      status: whole ? 'completed' : null,
      payment: whole ? { id, amount: CHARGED, currency: 'eur', customer, refs: [] } : null,
      more: { subject: id, refunds },
    })
    expect(failure).toBeUndefined()
  }

  private request() {
    const at = new Date(this.nowMs).toISOString()
    return { workspace, operation: newId('op'), fingerprint: 'f', metadata: {}, at }
  }
}
