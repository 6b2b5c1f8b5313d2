import { afterAll, beforeAll, expect, test } from 'vitest'
import { paymentTakeIn } from '../../../db/ledger.gen.ts'
import { migrate } from '../../../db/migrate.ts'
import { asBefore } from '../../support/as-before.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

// before endpoints were told apart
const LAST_BEFORE = '0013_partial_gift_returns'
const WORKSPACE = 'ws_before'

let db: TestDatabase
let endpoints: Map<string, string>
beforeAll(async () => {
  db = await testDatabase()
  await asBefore(db, LAST_BEFORE)
  await fill()
  await migrate({ ownerUrl: db.ownerUrl, applicationUrl: db.url })
  const { rows } = await db.owner.query('select secret, endpoint from payment_secret')
  endpoints = new Map(rows.map(({ secret, endpoint }) => [secret, endpoint]))
})
afterAll(async () => {
  const broken = await db.reconcile()
  await db.drop()
  expect(broken).toEqual([])
})

/** Two secrets of Stripe, one rolled to the other; two mapped shops; what they and the API reported. */
async function fill() {
  await db.owner.query(`
    insert into workspace (id, name) values ('${WORKSPACE}', 'Before');
    insert into payment_secret (workspace, id, provider, secret, mapping, created_at) values
      ('${WORKSPACE}', 'whs_1', 'stripe', 'old', null, '2026-01-01'),
      ('${WORKSPACE}', 'whs_2', 'stripe', 'rolled', null, '2026-02-01'),
      ('${WORKSPACE}', 'whs_3', 'sandbox', 'sandbox', null, '2026-01-01'),
      ('${WORKSPACE}', 'whs_4', 'generic', 'shop', '{"header": "a"}', '2026-01-01'),
      ('${WORKSPACE}', 'whs_5', 'generic', 'other shop', '{"header": "b"}', '2026-01-01');
    insert into payment (workspace, id, provider, status, amount, amount_charged, currency, created_at, expires_at) values
      ('${WORKSPACE}', 'pay_pi_1', 'stripe', 'completed', 500, 500, 'eur', '2026-01-02', null),
      ('${WORKSPACE}', 'pay_api', 'sandbox', 'requires_payment', 500, 500, 'eur', '2026-01-02', '2030-01-01'),
      ('${WORKSPACE}', 'pay_told', 'sandbox', 'completed', 500, 500, 'eur', '2026-01-02', null),
      ('${WORKSPACE}', 'pay_1001', 'generic', 'completed', 500, 500, 'eur', '2026-01-02', null);
    insert into inbox (workspace, id, provider, type, payment, payload, received_at, processed_at) values
      ('${WORKSPACE}', 'evt_1', 'stripe', 'payment.completed', 'pay_pi_1', '{"type": "paid"}', '2026-01-02', '2026-01-02'),
      ('${WORKSPACE}', 'evt_2', 'stripe', 'refund.failed', 'pay_pi_unknown', '{}', '2026-01-02', '2026-01-02'),
      ('${WORKSPACE}', 'evt_3', 'sandbox', 'payment.created', 'pay_api', '{}', '2026-01-02', '2026-01-02'),
      ('${WORKSPACE}', 'evt_4', 'sandbox', 'payment.completed', 'pay_told', '{}', '2026-01-02', '2026-01-02'),
      ('${WORKSPACE}', 'evt_5', 'generic', 'paid', 'pay_1001', '{}', '2026-01-02', '2026-01-02'),
      ('${WORKSPACE}', 'evt_6', 'sandbox', 'invoice.paid', 'in_1', '{}', '2026-01-02', '2026-01-02')`)
}

const endpointOf = (secret: string) => endpoints.get(secret) ?? 'none'
const rows = async (text: string) => (await db.owner.query(text)).rows

/** An event about a payment of 500, taken in. */
const takeIn = (provider: string, endpoint: string, event: string, payment: string) =>
  paymentTakeIn.answer(db.pool, {
    workspace: WORKSPACE,
    provider,
    endpoint,
    event,
    type: 'payment.completed',
    payload: { type: 'paid' },
    payment: { id: payment, amount: 500, currency: 'eur', refs: [] },
    status: 'completed',
    at: '2026-03-01T00:00:00Z',
    more: {},
    // as api/webhooks/providers has it
    content: [['type'], ['created'], provider === 'stripe' ? ['data', 'object'] : ['data']],
  })

test('secrets of one provider stay one endpoint, which is one more for another mapping', () => {
  expect(endpointOf('rolled')).toBe(endpointOf('old'))
  const each = ['old', 'sandbox', 'shop', 'other shop'].map(endpointOf)
  expect(new Set(each).size).toBe(4)
  expect(each).toEqual(Array(4).fill(expect.stringMatching(/^whs_[0-9a-f]{32}$/)))
})

test('all of them are taken at the address that they were sent to', async () => {
  expect(await rows('select distinct shared_address from payment_secret')).toEqual([
    { shared_address: true },
  ])
})

test('payments and events are their provider’s only endpoint’s; what the API made waits for its first', async () => {
  expect(await rows('select id, endpoint from payment order by id')).toEqual([
    { id: 'pay_1001', endpoint: null },
    { id: 'pay_api', endpoint: null },
    { id: 'pay_pi_1', endpoint: endpointOf('old') },
    { id: 'pay_told', endpoint: endpointOf('sandbox') },
  ])
  expect(await rows('select id, endpoint from inbox order by id')).toEqual([
    { id: 'evt_1', endpoint: endpointOf('old') },
    { id: 'evt_2', endpoint: endpointOf('old') },
    { id: 'evt_3', endpoint: '' },
    { id: 'evt_4', endpoint: endpointOf('sandbox') },
    { id: 'evt_5', endpoint: '' },
    { id: 'evt_6', endpoint: endpointOf('sandbox') },
  ])
  expect(await rows('select id, endpoint from source_owner order by id')).toEqual([
    { id: 'in_1', endpoint: endpointOf('sandbox') },
    { id: 'pay_pi_unknown', endpoint: endpointOf('old') },
  ])
})

test('an event from before is known when it comes again, under the rolled secret too', async () => {
  const again = await takeIn('stripe', endpointOf('rolled'), 'evt_1', 'pay_pi_1')
  expect(again).toEqual({ outcome: 'duplicate' })
  expect(again).not.toHaveProperty('conflict')
})

test('a payment of several possible endpoints is the first one’s that speaks of it, under its id', async () => {
  const first = await takeIn('generic', endpointOf('other shop'), 'evt_7', 'pay_1001')
  expect(first.payment?.id).toBe('pay_1001')
  const second = await takeIn('generic', endpointOf('shop'), 'evt_7', 'pay_1001')
  expect(second.outcome).toBe('received')
  expect(second.payment?.id).toMatch(/^pay_[0-9A-Za-z]{22}$/)
})
