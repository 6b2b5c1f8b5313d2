import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeInPaymentEvent } from '../../../app/payments.ts'
import { readEarningPreview, readPaymentEarnings } from '../../../db/earnings.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import { Runs } from '../../support/property.ts'

const workspace = newId('ws')
let db: TestDatabase
let tables: string[]

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
  await db.owner.query('update earning_rule set active = false')
  const { rows } = await db.owner.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public'`,
  )
  tables = rows.map(({ name }) => name)
})
afterAll(async () => {
  const broken = await db.reconcile()
  await db.drop()
  expect(broken).toEqual([])
})

const rate = fc.record({
  points: fc.integer({ min: 1, max: 50_000 }).map((thousandths) => thousandths / 1_000),
  amount: fc.integer({ min: 1, max: 5_000 }),
})
const currency = fc.constantFrom('eur', 'usd', 'jpy')
const rule = fc.record({
  award: fc.oneof(
    fc.record({ fixed: fc.integer({ min: 1, max: 9_999 }).map((hundredths) => hundredths / 100) }),
    fc.tuple(rate, currency).map(([one, of]) => ({ per_amount: { ...one, currency: of } })),
    fc.dictionary(currency, rate, { minKeys: 1 }).map((rates) => ({ per_currency: rates })),
  ),
  multiplier: fc.constantFrom(1, 1, 2, 0.5, 1.333),
  cap: fc.option(
    fc.record({
      points: fc.integer({ min: 1, max: 500 }),
      window: fc.constantFrom('day', 'week', 'month', 'lifetime'),
    }),
  ),
  conditions: fc.record(
    {
      min_amount: fc.integer({ min: 0, max: 10_000 }),
      currency,
      metadata: fc.constantFrom({ shop: 'a' }, { shop: 'b' }),
    },
    { requiredKeys: [] },
  ),
  pendingDays: fc.constantFrom(0, 0, 1, 0.001),
  startsInMs: fc.option(fc.constantFrom(-86_400_000, 86_400_000)),
  active: fc.constantFrom(true, true, true, false),
})
const program = fc.record({
  decimals: fc.integer({ min: 0, max: 4 }),
  rounding: fc.constantFrom('down', 'nearest', 'up'),
  zone: fc.constantFrom('UTC', 'Asia/Kolkata', 'America/St_Johns'),
  tiers: fc.array(
    fc.record({
      threshold: fc.integer({ min: 0, max: 400 }),
      multiplier: fc.constantFrom(1, 1.5, 3),
    }),
    { maxLength: 3 },
  ),
})
type Metadata = Record<string, string>
const payment = fc.record({
  amount: fc.integer({ min: 1, max: 30_000 }),
  currency,
  metadata: fc.constantFrom<Metadata>({}, { shop: 'a' }, { shop: 'b', till: '7' }),
})
type Rule = typeof rule extends fc.Arbitrary<infer T> ? T : never
type Program = typeof program extends fc.Arbitrary<infer T> ? T : never
type Payment = typeof payment extends fc.Arbitrary<infer T> ? T : never

test('a preview writes nothing, and a payment then earns just what it said, rule by rule', async () => {
  const runs = new Runs({ withinMs: 25_000, least: 15 })
  const outcomes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      program,
      fc.array(rule, { minLength: 1, maxLength: 4 }),
      fc.array(payment, { minLength: 1, maxLength: 5 }),
      runs.of(async (shop, rules, payments) => {
        const { customer, account } = await open(shop, rules)
        for (const one of payments) {
          const before = await rowsOf()
          const asked = { ...one }
          const byCustomer = await readEarningPreview(db.pool, { workspace, customer, ...asked })
          const byAccount = await readEarningPreview(db.pool, { workspace, account, ...asked })
          expect(await rowsOf()).toEqual(before)
          expect(byAccount?.entries).toEqual(byCustomer?.entries.map(sameTime(byAccount)))
          const id = await pay(one, customer)
          const made = await readPaymentEarnings(db.pool, workspace, id)
          expect(made?.rules_from).toBeNull()
          const ofProgram = (made?.entries ?? []).filter((entry) => entry.account === account)
          expect(byId(ofProgram)).toEqual(byId(byCustomer?.entries ?? []))
          for (const { outcome, reason } of ofProgram) outcomes.add(reason ?? outcome)
          const { rows } = await db.owner.query<{ points: string }>(
            `select coalesce(sum(amount), 0) as points from ptx
             where workspace = $1 and payment = $2 and type = 'earn'`,
            [workspace, id],
          )
          const earned = (byCustomer?.entries ?? []).filter(({ outcome }) => outcome === 'earned')
          expect(Number(rows[0]?.points)).toBe(earned.reduce((sum, { points }) => sum + points, 0))
        }
      }),
    ),
    { numRuns: runs.numRuns },
  )
  expect([...outcomes]).toEqual(expect.arrayContaining(['earned', 'pending', 'other_currency']))
}, 120_000)

type Entry = NonNullable<Awaited<ReturnType<typeof readEarningPreview>>>['entries'][number]

/** Two previews are asked one after the other; what they say must not differ in anything but their time. */
const sameTime = (other: Awaited<ReturnType<typeof readEarningPreview>>) => (entry: Entry) => {
  const twin = other?.entries.find(({ rule: id }) => id === entry.rule)
  return { ...entry, earned_on: twin?.earned_on ?? null, matures_at: twin?.matures_at ?? null }
}

/** What was decided, without when and of what. */
const byId = (entries: readonly Entry[]) =>
  new Map(
    entries.map(
      ({
        rule: id,
        matched,
        reason,
        outcome,
        terms,
        tier,
        rounding,
        uncapped,
        cap_left,
        points,
      }) => [
        id,
        {
          matched,
          reason,
          outcome,
          points,
          ...(matched && { terms, tier, rounding, uncapped, cap_left }),
        },
      ],
    ),
  )

async function rowsOf(): Promise<Map<string, string>> {
  const counts = tables.map((name) => `select '${name}' as name, count(*) as rows from "${name}"`)
  const { rows } = await db.owner.query<{ name: string; rows: string }>(counts.join(' union all '))
  return new Map(rows.map((row) => [row.name, row.rows]))
}

/** A program with these rules, and a member of it with some points. */
async function open({ decimals, rounding, zone, tiers }: Program, rules: Rule[]) {
  const [id, account, customer] = [newId('prog'), newId('loy'), newId('op')]
  const ladder = tiers.map((tier, rank) => ({ ...tier, rank, name: `tier ${rank}` }))
  const config = { qualifyOn: 'points', period: { type: 'lifetime' }, tiers: ladder }
  await db.owner.query(
    `insert into program (workspace, id, name, decimals, rounding, expiry_time_zone, tier_config)
     values ($1, $2, 'Any', $3, $4, $5, $6)`,
    [workspace, id, decimals, rounding, zone, tiers.length === 0 ? null : JSON.stringify(config)],
  )
  for (const one of rules) {
    await db.owner.query(
      `insert into earning_rule (workspace, id, program, award, multiplier, cap, conditions, pending_days, starts_at, active)
       values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 ms', $10)`,
      [
        workspace,
        newId('erl'),
        id,
        one.award,
        one.multiplier,
        one.cap === null ? null : JSON.stringify(one.cap),
        one.conditions,
        one.pendingDays,
        one.startsInMs,
        one.active,
      ],
    )
  }
  await db.owner.query(
    `insert into account (workspace, id, program, customer, tier)
     values ($1, $2, $3, $4, $5)`,
    [workspace, account, id, customer, ladder[0]?.name ?? null],
  )
  return { customer, account }
}

async function pay({ amount, currency: of, metadata }: Payment, customer: string): Promise<string> {
  const id = newId('pay')
  const result = await takeInPaymentEvent(db.pool, {
    workspace,
    provider: 'sandbox',
    endpoint: 'whs_test',
    content: [],
    event: newId('evt'),
    type: 'payment.completed',
    payload: {},
    at: new Date().toISOString(),
    status: 'completed',
    payment: { id, amount, currency: of, customer, metadata, refs: [] },
    more: { subject: id, refunds: [] },
  })
  if (result.outcome === 'missing') throw new Error(JSON.stringify(result))
  return id
}
