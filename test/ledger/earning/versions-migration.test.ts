import { afterAll, beforeAll, expect, test } from 'vitest'
import { readEarningPreview, readPaymentEarnings } from '../../../db/earnings.ts'
import { migrate } from '../../../db/migrate.ts'
import { asBefore } from '../../support/as-before.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

// before rules and programs had versions
const LAST_BEFORE = '0023_tier_reviews_by_outbox'
const WORKSPACE = 'ws_before'

let db: TestDatabase
let before: Date
beforeAll(async () => {
  db = await testDatabase()
  await asBefore(db, LAST_BEFORE)
  await db.owner.query(`
    insert into workspace (id, name) values ('${WORKSPACE}', 'Before');
    insert into program (workspace, id, name, created_at)
      values ('${WORKSPACE}', 'prog_default', 'Points', '2026-01-01');
    insert into earning_rule (workspace, id, program, award, conditions, created_at) values
      ('${WORKSPACE}', 'erl_gave', 'prog_default', '{"fixed": 5}', '{}', '2026-01-01'),
      ('${WORKSPACE}', 'erl_not', 'prog_default', '{"fixed": 7}', '{"currency": "usd"}', '2026-01-01');
    insert into account (workspace, id, program, customer, created_at)
      values ('${WORKSPACE}', 'loy_a', 'prog_default', 'cust_a', '2026-01-01');
    insert into payment (workspace, id, provider, status, amount, amount_charged, currency, customer, award,
      created_at, completed_at)
      values ('${WORKSPACE}', 'pay_a', 'sandbox', 'completed', 100, 100, 'eur', 'cust_a', 'awarded',
        '2026-02-01', '2026-02-01');
    insert into earning (workspace, id, source, payment, rule, account, program, outcome, points, terms,
      ptx_source, earned_on, matures_at, created_at)
      values ('${WORKSPACE}', 'ern_a', 'pay_a', 'pay_a', 'erl_gave', 'loy_a', 'prog_default', 'pending', 5,
        '{"trigger": "payment.completed", "award": {"fixed": 5}, "multiplier": 1, "tier_multiplier": 1,
          "cap": {"points": 9, "window": "day"}, "conditions": {}, "pendingDays": 900, "name": null}',
        '{"payment": "pay_a", "amount": 100, "currency": "eur"}', '2026-02-01', '2028-07-20', '2026-02-01')`)
  before = new Date()
  await migrate({ ownerUrl: db.ownerUrl, applicationUrl: db.url })
})
afterAll(() => db.drop())

test('what was there is the first version, from the migration on', async () => {
  const { rows } = await db.owner.query<{ of: string; from: Date }>(
    `select rule as of, valid_from as from from rule_version
     union all select program, valid_from from program_version order by 1`,
  )
  expect(rows.map(({ of }) => of)).toEqual(['erl_gave', 'erl_not', 'prog_default'])
  for (const { from } of rows) expect(from.getTime()).toBeGreaterThanOrEqual(before.getTime())
})

test('an earning of before is explained by what it kept, and what gave nothing then is not guessed', async () => {
  const earnings = await readPaymentEarnings(db.pool, WORKSPACE, 'pay_a')
  expect(earnings?.entries).toMatchObject([
    {
      rule: 'erl_gave',
      points: 5,
      outcome: 'pending',
      cap_left: null,
      rounding: null,
      uncapped: null,
    },
  ])
  expect(Date.parse(earnings?.rules_from ?? '')).toBeGreaterThanOrEqual(before.getTime())
})

test('a preview of before says since when rules are known, and one of now knows them', async () => {
  const asked = {
    workspace: WORKSPACE,
    account: 'loy_a',
    amount: 100,
    currency: 'eur',
    metadata: {},
  }
  const past = await readEarningPreview(db.pool, { ...asked, at: new Date('2026-02-01') })
  expect(past?.entries).toEqual([])
  expect(Date.parse(past?.rules_from ?? '')).toBeGreaterThanOrEqual(before.getTime())
  const now = await readEarningPreview(db.pool, asked)
  expect(now?.rules_from).toBeNull()
  expect(now?.entries.map(({ rule, reason }) => [rule, reason])).toEqual([
    ['erl_gave', null],
    ['erl_not', 'other_currency'],
  ])
})
