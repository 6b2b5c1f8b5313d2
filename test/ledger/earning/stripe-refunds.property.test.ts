import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stripe } from '../../../api/webhooks/providers/stripe.ts'
import { takeInPaymentEvent } from '../../../app/payments.ts'
import { paymentProcess } from '../../../db/ledger.gen.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type Fields, type StripeEvent, stripeEvent, unixNow } from '../../earning/stripe-events.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { Runs } from '../../support/property.ts'

/** How Stripe words a charge's refunds: listed, as a total with the release of the rest, or without it. */
const VERSIONS = ['2022-08-01', '2024-06-20', '2025-03-31.basil'] as const
/** Few amounts, so that different refunds are often equal. */
const AMOUNTS = [1_000, 1_000, 1_777, 3_000]

type Step = { do: 'refund'; amount: number } | { do: 'fail'; which: number }
type Life = {
  version: (typeof VERSIONS)[number]
  captured: number
  steps: Step[]
  /** Whether a failure is also reported as a total that falls. */
  falls: boolean
}

const AUTHORISED = 10_000
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      amount: fc.constantFrom(...AMOUNTS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), which: fc.nat(9) }) },
)
const life: fc.Arbitrary<Life> = fc.record({
  version: fc.constantFrom(...VERSIONS),
  captured: fc.constantFrom(AUTHORISED, 7_000, 9_000),
  steps: fc.array(step, { maxLength: 9 }),
  falls: fc.boolean(),
})

const workspace = newId('ws')
let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
  await db.owner.query(
    `insert into earning_rule (workspace, id, program, award) values ($1, 'erl_seven', 'prog_default',
       '{"per_amount": {"points": 7, "amount": 300, "currency": "eur"}}')`,
    [workspace],
  )
})
afterAll(() => db.drop())

test('in whatever order Stripe’s events come, and however often, a payment’s refunds are those that did not fail', async () => {
  const order = fc.array(fc.nat(), { minLength: 1, maxLength: 40 })
  const runs = new Runs({ withinMs: 120_000, least: 15 })
  await fc.assert(
    fc.asyncProperty(
      life,
      order,
      fc.array(fc.nat(), { maxLength: 6 }),
      runs.of(async (one, places, again) => {
        const charge = new Charge(one)
        await charge.live()
        await charge.deliver(places, again)
        expect(await charge.found()).toEqual(charge.expected())
      }),
    ),
    { numRuns: runs.numRuns },
  )
  expect(await db.reconcile()).toEqual([])
}, 300_000) // a run takes some hundred transactions, and a busy machine its time

class Charge {
  readonly customer = `cus_${newId('op').slice(3)}`
  readonly name = newId('op').slice(3)
  readonly events: StripeEvent[] = []
  readonly refunds: { id: string; amount: number; status: string; created: number }[] = []
  readonly life: Life
  total = 0

  constructor(one: Life) {
    this.life = one
  }

  get standing(): number {
    return this.refunds.reduce(
      (sum, { amount, status }) => sum + (status === 'failed' ? 0 : amount),
      0,
    )
  }

  /** All that happens to it, in its order: the events that Stripe makes of it. */
  async live(): Promise<void> {
    const { captured, steps, version, falls } = this.life
    await this.report('payment_intent.succeeded', {
      id: `pi_${this.name}`,
      amount: AUTHORISED,
      amount_received: captured,
    })
    const rest = version < '2025-03-31' ? AUTHORISED - captured : 0
    const release = { ...this.refundOf(rest), id: `re_rest_${this.name}` }
    const list = () => [...this.refunds.toReversed(), ...(rest > 0 ? [release] : [])]
    if (rest > 0) await this.totalIs(rest, list())
    for (const one of steps) {
      if (one.do === 'refund' && this.standing + one.amount <= captured) {
        this.refunds.push(this.refundOf(one.amount))
        await this.totalIs(this.total + one.amount, list())
      }
      const failing = one.do === 'fail' ? this.refunds[one.which] : undefined
      if (failing && failing.status !== 'failed') {
        failing.status = 'failed'
        for (const type of ['refund.failed', 'charge.refund.updated']) {
          await this.report('refund.failed', failing, { type })
        }
        if (falls && version > '2022-11-15') await this.totalIs(this.total - failing.amount, [])
        else this.total -= failing.amount
      }
    }
  }

  private refundOf(amount: number) {
    const id = `re_${this.refunds.length}_${this.name}`
    return { id, amount, status: 'succeeded', created: unixNow() + this.refunds.length }
  }

  private async totalIs(total: number, listed: Fields[]): Promise<void> {
    const { version, captured } = this.life
    const before = this.total
    this.total = total
    await this.report(
      'charge.refunded',
      {
        id: `ch_${this.name}`,
        amount: AUTHORISED,
        amount_captured: captured,
        amount_refunded: total,
        ...(version < '2022-11-15' && {
          refunds: { data: structuredClone(listed), has_more: false },
        }),
      },
      { previous: { amount_refunded: before } },
    )
  }

  private async report(
    name: string,
    object: Fields,
    more: Parameters<typeof stripeEvent>[2] = {},
  ): Promise<void> {
    const of = { customer: this.customer, payment_intent: `pi_${this.name}` }
    const api_version = this.life.version
    this.events.push(await stripeEvent(name, { ...of, ...object }, { api_version, ...more }))
  }

  /** Every event, each put at its place among the others, and some of them again. */
  async deliver(places: number[], again: number[]): Promise<void> {
    await db.owner.query(
      `insert into account (workspace, id, program, customer, created_at) values ($1, $2, 'prog_default', $3, $4)`,
      [workspace, newId('loy'), this.customer, new Date(0)],
    )
    const placed = this.events
      .map((event, at) => ({ event, place: places[at % places.length] ?? 0 }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ event }) => event)
    const repeats = again.flatMap((which) => placed[which % placed.length] ?? [])
    for (const event of [...placed, ...repeats]) {
      const { id, ...reported } = stripe.read(Buffer.from(JSON.stringify(event)), { secret: '' })
      const at = new Date().toISOString()
      const from = { workspace, provider: 'stripe', endpoint: 'whs_test' }
      await takeInPaymentEvent(db.pool, { ...from, event: id, at, ...reported })
      await paymentProcess(db.pool, { workspace, id: `pay_pi_${this.name}`, at })
    }
  }

  async found() {
    const { rows } = await db.owner.query(
      `select p.amount_refunded::int as refunded, p.amount_charged::int as charged, a.balance::int as balance
       from payment p join account a on a.workspace = p.workspace and a.customer = p.customer
       where p.workspace = $1 and p.id = $2`,
      [workspace, `pay_pi_${this.name}`],
    )
    return rows[0]
  }

  expected() {
    const { captured } = this.life
    const earned = Math.floor((7 * captured) / 300)
    const clawed =
      this.standing >= captured ? earned : Math.floor((earned * this.standing) / captured)
    return { refunded: this.standing, charged: captured, balance: earned - clawed }
  }
}
