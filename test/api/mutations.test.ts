import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from './shop.ts'

// Requests that are right but for one value: whatever it is, the answer is never our own failure.

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const REWARD = {
  program: 'prog_default',
  name: 'Five off',
  type: 'discount_amount',
  cost: 500,
  value: { amount: 500, currency: 'EUR', percent: 10, product: 'Bag', quantity: 1 },
  active: true,
  inventory: 5,
  starts_at: '2026-01-01T00:00:00Z',
  ends_at: '2099-01-01T00:00:00Z',
  per_member_limit: 1,
  min_tier: null,
  holdMinutes: 5,
  fulfillment: { deadlineDays: 3, onOverdue: 'notify' },
  metadata: { a: 'b' },
}
const { program: _program, type: _type, ...REWARD_CHANGE } = REWARD

const BODIES: Readonly<Record<string, object>> = {
  '/v1/loyalty/accounts': { program: 'prog_default', customer: 'cust_1', metadata: { a: 'b' } },
  '/v1/loyalty/rewards': REWARD,
  '/v1/loyalty/rewards/rwd_fivecredit': REWARD_CHANGE,
  '/v1/loyalty/redemptions': {
    account: 'loy_9f2k',
    reward: 'rwd_totebag',
    quantity: 1,
    shipping: { name: 'M', line1: 'S', city: 'O', postalCode: '0155', country: 'NO' },
    metadata: { a: 'b' },
  },
  '/v1/loyalty/quotes': { account: 'loy_9f2k', reward: 'rwd_totebag', quantity: 1 },
  '/v1/loyalty/transactions': {
    account: 'loy_9f2k',
    type: 'adjust',
    amount: 1,
    reason: 'goodwill',
    expires_at: '2099-01-01T00:00:00Z',
    metadata: { batch: 'b' },
  },
  '/members/lookup': { token: 'mc_0123456789abcdef', till: 'till-1' },
  '/v1/members/lookup': { phone: '+4790000000', till: 'till-1' },
  '/v1/loyalty/accounts/loy_9f2k/identities': {
    kind: 'external_id',
    external_id: 'crm-1',
    label: 'CRM',
  },
  '/v1/payments': {
    amount: 2_999,
    currency: 'EUR',
    customer: 'cust_1',
    discounts: [{ redemption: 'rdm_1' }],
    redemptions: ['rdm_1'],
    card: '4242424242424242',
    metadata: { loyalty_account: 'loy_9f2k' },
  },
  '/v1/loyalty/redemptions/rdm_1/fulfill': { tracking: '0034', carrier: 'DHL', quantity: 1 },
  '/v1/loyalty/redemptions/rdm_1/reverse': { reason: 'x', points: 1, refund_payment: true },
  '/v1/payments/pay_1/confirm': { card: '4242424242424242' },
}

const PAYMENT_EVENT = {
  id: 'evt_1',
  type: 'payment.completed',
  created: 1,
  data: {
    id: 'pay_1',
    amount: 2_999,
    amount_charged: 2_999,
    currency: 'eur',
    customer: 'cust_1',
    discounts: [{ redemption: 'rdm_1' }],
    redemptions: ['rdm_1'],
    metadata: { loyalty_account: 'loy_9f2k' },
  },
}

const LONGEST_SAFE = Number.MAX_SAFE_INTEGER
const NUMBERS = [0, -0, -1, 0.1, 1e-7, 1e21, 1e308, LONGEST_SAFE, -LONGEST_SAFE]
const TEXTS = ['', ' ', '\0', '\ud800', '💶', 'x'.repeat(5_000), '9'.repeat(400), "'; --", '%00']
const TIMES = [
  '2026-02-30T00:00:00Z',
  '+275760-09-13T00:00:00Z',
  '0001-01-01T00:00:00Z',
  'infinity',
]
const SHAPES: readonly unknown[] = [
  null,
  true,
  [],
  {},
  [null],
  [[]],
  { a: null },
  { constructor: 'x' },
  ['rdm_1'],
]
const wrong = fc.oneof(
  fc.constantFrom<unknown>(...NUMBERS, ...TEXTS, ...TIMES, ...SHAPES),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Every place in a value where another could stand. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))]
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy: Record<string, unknown> = Array.isArray(value) ? [...value] : { ...Object(value) }
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

const mutated = (body: object) =>
  fc
    .tuple(fc.constantFrom(...places(body)), wrong)
    .map(([place, value]) => replaced(body, place, value))

const RUNS = 150

it.each(Object.keys(BODIES))('POST %s', async (path) => {
  await fc.assert(
    fc.asyncProperty(mutated(BODIES[path] ?? {}), async (body) => {
      const { status, body: answer } = await shop
        .post(path)
        .set('Content-Type', 'application/json')
        .send(JSON.stringify(body))
      expect(status, JSON.stringify(answer)).toBeLessThan(500)
      if (status >= 400) expect(answer.error).toMatchObject({ code: expect.any(String) })
    }),
    { numRuns: RUNS },
  )
})

it('POST /v1/webhooks/payments/sandbox', async () => {
  await fc.assert(
    fc.asyncProperty(mutated(PAYMENT_EVENT), async (event) => {
      const fresh = Object(event).id === 'evt_1' ? { ...Object(event), id: newId('evt') } : event
      const { status, body: answer } = await shop.webhook(fresh)
      expect(status, JSON.stringify(answer)).toBeLessThan(500)
    }),
    { numRuns: RUNS },
  )
})
