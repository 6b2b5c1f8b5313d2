import { createHmac } from 'node:crypto'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rowOfRecord } from '../../api/imports/lines.ts'
import { workspaceCommands } from '../../app/workspaces.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { member } from '../till/till.ts'

const SECRET = 'a-secret-of-a-provider'
const MAPPING = {
  event: { id: 'id', type: 'kind' },
  types: { paid: 'payment.completed' },
  payment: { id: 'order', amount: 'cents', currency: 'currency' },
}

let shop: Shop
let ofStripe: string
let ofGeneric: string
beforeAll(async () => {
  shop = await openShop()
  const { addPaymentSecret } = workspaceCommands({ pool: shop.pool })
  ofStripe = await addPaymentSecret(shop.workspace, 'stripe', SECRET)
  ofGeneric = await addPaymentSecret(shop.workspace, 'generic', SECRET, MAPPING)
})
afterAll(() => shop.close())

// what every JavaScript object answers to
const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']

describe.each(NAMES)('a type of the name %s', (type) => {
  it('is taken from the sandbox as any other that says nothing', async () => {
    const created = Math.floor(Date.now() / 1_000)
    const { status, body } = await shop.webhook({ id: `evt_s_${type}`, type, created, data: {} })
    expect([status, body]).toMatchObject([200, { received: true, duplicate: false }])
  })

  it('is taken from Stripe', async () => {
    const created = Math.floor(Date.now() / 1_000)
    const body = JSON.stringify({ id: `evt_${type}`, type, created, data: { object: {} } })
    const digest = createHmac('sha256', SECRET).update(`${created}.${body}`).digest('hex')
    const answer = await request(shop.app)
      .post(`/v1/webhooks/payments/stripe/${ofStripe}`)
      .set('Content-Type', 'application/json')
      .set('Stripe-Signature', `t=${created},v1=${digest}`)
      .send(body)
    expect([answer.status, answer.body]).toMatchObject([200, { received: true }])
  })

  it('is taken from a generic provider, as one that is not mapped', async () => {
    const body = JSON.stringify({
      id: `g_${type}`,
      kind: type,
      order: '1',
      cents: 100,
      currency: 'eur',
    })
    const answer = await request(shop.app)
      .post(`/v1/webhooks/payments/generic/${ofGeneric}`)
      .set('Content-Type', 'application/json')
      .set('x-signature', createHmac('sha256', SECRET).update(body).digest('hex'))
      .send(body)
    expect([answer.status, answer.body]).toMatchObject([200, { received: true }])
  })
})

it.each(NAMES.filter((name) => name !== '__proto__'))(
  '%s may be an event that a till reports and a reactor emits',
  async (name) => {
    const user = await member(shop, 0)
    expect((await shop.post('/v1/event_types', { name })).status).toBe(201)
    const emit = { type: 'emit_event', event: name, payload: { [name]: `$.${name}` } }
    const reactor = await shop.post('/v1/reactors', { name, trigger: name, reactions: [emit] })
    expect(reactor.status).toBe(201)
    const payload = { [name]: 5 }
    const { status, body } = await shop.post('/v1/events', { type: name, user, payload })
    expect([status, body.reactors[0].outcome]).toEqual([200, 'activated'])
    const { data } = (await shop.get(`/v1/events?object=${body.id}`)).body
    expect(data).toHaveLength(2)
    expect(data.map(({ type }: { type: string }) => type)).toEqual([name, name])
    for (const one of data) expect(one.data.payload).toEqual(payload)
  },
)

it('a tier of such a name keeps its price when another tier’s changes', async () => {
  const tier = (name: string, rank: number) => ({ name, rank, threshold: rank * 10 })
  const tiers = [tier('Basic', 0), tier('constructor', 1), tier('toString', 2)]
  const program = await shop.post('/v1/loyalty/programs', { name: 'Club', tierConfig: { tiers } })
  const reward = await shop.post('/v1/loyalty/rewards', {
    name: 'Mug',
    program: program.body.id,
    type: 'free_product',
    cost: 100,
    value: { product: 'mug' },
    tier_costs: { constructor: 50, toString: 40 },
  })
  expect(reward.status).toBe(201)
  const path = `/v1/loyalty/rewards/${reward.body.id}`
  const { body } = await shop.patch(path, { tier_costs: { Basic: 90 } })
  expect(body.tier_costs).toEqual({ Basic: 90, constructor: 50, toString: 40 })
})

it('a column of such a name is a column, to be refused by its name', () => {
  const record = JSON.parse('{"amount":"5","__proto__":"x","metadata.constructor":"y"}')
  const row = rowOfRecord(record)
  expect(Object.keys(row).sort()).toEqual(['__proto__', 'amount', 'metadata'])
  expect(row.metadata).toEqual({ constructor: 'y' })
})
