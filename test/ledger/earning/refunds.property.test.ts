import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeInPaymentEvent } from '../../../app/payments.ts'
import { transactionCommands } from '../../../app/transactions.ts'
import { paymentProcess } from '../../../db/ledger.gen.ts'
import type { ReportedRefund } from '../../../db/results/payment.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { Runs } from '../../support/property.ts'

/** What can happen to a member's payments, in any order, reported once or twice, late or never. */
type Step =
  | { do: 'complete'; payment: number }
  | { do: 'refund'; payment: number; refund: number; percent: number; kind: 'refund' | 'dispute' }
  | { do: 'fail'; payment: number; refund: number }
  | { do: 'again'; which: number }
  | { do: 'spend'; points: number }
  | { do: 'work off'; payment: number }
  | { do: 'wait'; hours: number }

const PAYMENTS = 3
const payment = fc.nat(PAYMENTS - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('complete' as const), payment }),
  fc.record({
    do: fc.constant('refund' as const),
    payment,
    refund: fc.nat(3),
    percent: fc.integer({ min: 1, max: 120 }),
    kind: fc.constantFrom('refund' as const, 'dispute' as const),
  }),
  fc.record({ do: fc.constant('fail' as const), payment, refund: fc.nat(3) }),
  fc.record({ do: fc.constant('again' as const), which: fc.nat(30) }),
  fc.record({ do: fc.constant('spend' as const), points: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ do: fc.constant('work off' as const), payment }),
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 40 }) }),
)

const HOUR_MS = 3_600_000
const RULES = [
  {
    id: 'erl_now',
    award: { per_amount: { points: 7, amount: 300, currency: 'eur' } },
    pendingDays: 0,
  },
  {
    id: 'erl_later',
    award: { per_amount: { points: 1, amount: 100, currency: 'eur' } },
    pendingDays: 1,
  },
]
const workspace = newId('ws')
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
  // tiers look at what payments and their refunds leave; they change no award
  await db.owner.query('update program set tier_config = $2 where workspace = $1', [
    workspace,
    {
      qualifyOn: 'spend',
      period: { type: 'lifetime' },
      tiers: [{ name: 'Gold', rank: 1, threshold: 50_000, multiplier: 1 }],
    },
  ])
  for (const { id, award, pendingDays } of RULES) {
    await db.owner.query(
      `insert into earning_rule (workspace, id, program, award, pending_days) values ($1, $2, 'prog_default', $3, $4)`,
      [workspace, id, award, pendingDays],
    )
  }
})
afterAll(() => db.drop())

test.each([true, false])(
  'whatever the order of payments, refunds, failures and repeats, each award stands less its exact share (below zero allowed: %s)',
  async (allowed) => {
    const runs = new Runs({ withinMs: 60_000, least: 15 })
    await db.owner.query('update program set clawback_allow_negative = $2 where workspace = $1', [
      workspace,
      allowed,
    ])
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 99_999 }), { minLength: PAYMENTS, maxLength: PAYMENTS }),
        runs.of(async (steps, charges) => {
          const history = await History.begin(charges)
          for (const one of steps) await history.apply(one)
          await history.settle()
          await history.compare(allowed)
        }),
      ),
      { numRuns: runs.numRuns },
    )
    expect(await db.reconcile()).toEqual([])
  },
  300_000,
)

type Paid = {
  id: string
  charged: number
  completed: boolean
  refunds: Map<string, { amount: number; failed: boolean }>
}
type SentEvent = { event: string; payment: Paid; type: string; refunds: ReportedRefund[] }

class History {
  nowMs = Date.now()
  readonly account: string
  readonly customer = newId('op')
  readonly payments: Paid[]
  readonly sent: SentEvent[] = []
  readonly points = transactionCommands({ pool: db.pool })

  constructor(account: string, charges: number[]) {
    this.account = account
    this.payments = charges.map((charged) => ({
      id: newId('pay'),
      charged,
      completed: false,
      refunds: new Map(),
    }))
  }

  static async begin(charges: number[]): Promise<History> {
    const history = new History(newId('loy'), charges)
    await db.owner.query(
      `insert into account (workspace, id, program, customer, created_at) values ($1, $2, 'prog_default', $3, $4)`,
      [workspace, history.account, history.customer, new Date(0)],
    )
    return history
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
      case 'spend':
        await this.spend(one.points)
        return
      case 'again': {
        const earlier = this.sent[one.which % Math.max(this.sent.length, 1)]
        if (earlier) expect(await this.send(earlier)).toBe('duplicate')
        return
      }
      case 'work off':
        return this.workOff(this.paid(one.payment))
      case 'complete':
        return this.report(this.paid(one.payment), 'payment.completed', [])
      case 'refund':
        return this.refund(this.paid(one.payment), one)
      case 'fail':
        return this.fail(this.paid(one.payment), `re_${one.refund}`)
    }
  }

  private paid(index: number): Paid {
    const found = this.payments[index]
    if (!found) throw new Error(`no payment ${index}`)
    return found
  }

  private async refund(
    paid: Paid,
    { refund, percent, kind }: Extract<Step, { do: 'refund' }>,
  ): Promise<void> {
    const id = `re_${refund}`
    const amount = Math.ceil((paid.charged * percent) / 100)
    const known = paid.refunds.get(id)
    if (known === undefined) paid.refunds.set(id, { amount, failed: false })
    await this.report(paid, 'refund.created', [
      { id: `${id}_${paid.id}`, amount: known?.amount ?? amount, kind },
    ])
  }

  private async fail(paid: Paid, id: string): Promise<void> {
    const known = paid.refunds.get(id)
    if (known === undefined) return
    known.failed = true
    await this.report(paid, 'refund.failed', [
      { id: `${id}_${paid.id}`, amount: known.amount, status: 'failed' },
    ])
  }

  private async report(paid: Paid, type: string, refunds: ReportedRefund[]): Promise<void> {
    if (type === 'payment.completed') paid.completed = true
    const one = { event: newId('evt'), payment: paid, type, refunds }
    this.sent.push(one)
    await this.send(one)
  }

  private async send({ event, payment: paid, type, refunds }: SentEvent): Promise<string> {
    const whole = type === 'payment.completed'
    const result = await takeInPaymentEvent(db.pool, {
      workspace,
      provider: 'sandbox',
      endpoint: 'whs_test',
      content: [],
      event,
      type,
      payload: {},
      at: this.at,
      status: whole ? 'completed' : null,
      payment: whole
        ? { id: paid.id, amount: paid.charged, currency: 'eur', customer: this.customer, refs: [] }
        : null,
      more: { subject: paid.id, refunds },
    })
    return result.outcome
  }

  private async workOff(paid: Paid): Promise<void> {
    await paymentProcess.answer(db.pool, { workspace, id: paid.id, at: this.at })
  }

  private spend(points: number) {
    return this.points.postTransaction({
      workspace,
      account: this.account,
      type: 'adjust',
      amount: -points,
      reason: 'test',
      operation: newId('op'),
      fingerprint: 'f',
      at: this.at,
      expiresAt: null,
      batch: null,
      source: null,
      metadata: {},
      allowNegative: false,
    })
  }

  /** All news is worked off, twice, and all that is pending matures. */
  async settle(): Promise<void> {
    for (const paid of [...this.payments, ...this.payments]) await this.workOff(paid)
    this.nowMs += 48 * HOUR_MS
    for (const paid of this.payments) await this.workOff(paid)
  }

  async compare(allowed: boolean): Promise<void> {
    const { rows } = await db.owner.query(
      `select e.payment, e.rule, e.points, e.clawed, coalesce(sum(t.amount), 0)::int as net,
         (select coalesce(sum(c.forgiven), 0)::int from clawback c where c.workspace = e.workspace and c.earning = e.id) as forgiven
       from earning e left join ptx t on t.workspace = e.workspace and t.payment = e.payment and t.source ->> 'rule' = e.rule
       where e.workspace = $1 and e.account = $2 group by e.workspace, e.id, e.payment, e.rule, e.points, e.clawed`,
      [workspace, this.account],
    )
    const expected = this.payments
      .filter(({ completed }) => completed)
      .flatMap((paid) =>
        RULES.map(({ id, award }) => {
          const { points, amount } = award.per_amount
          const earned = Math.floor((points * paid.charged) / amount)
          const refunded = [...paid.refunds.values()]
            .filter(({ failed }) => !failed)
            .reduce((sum, one) => sum + one.amount, 0)
          const clawed =
            refunded >= paid.charged ? earned : Math.floor((earned * refunded) / paid.charged)
          return { payment: paid.id, rule: id, points: earned, clawed, net: earned - clawed }
        }),
      )
    const byKey = (a: { payment: string; rule: string }, b: { payment: string; rule: string }) =>
      `${a.payment}${a.rule}` < `${b.payment}${b.rule}` ? -1 : 1
    const found = rows.map(({ forgiven, net, ...row }) => ({
      ...row,
      net: net - (allowed ? 0 : forgiven),
    }))
    expect(found.sort(byKey)).toEqual(expected.sort(byKey))
    if (allowed) expect(rows.every(({ forgiven }) => forgiven === 0)).toBe(true)
    else
      expect(
        Number(
          (await db.owner.query('select balance from account where id = $1', [this.account]))
            .rows[0].balance,
        ),
      ).toBeGreaterThanOrEqual(0)
  }
}
