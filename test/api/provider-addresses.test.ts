import { createHmac } from 'node:crypto'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from './shop.ts'

const SHARED = '/v1/webhooks/payments/sandbox'
const STRIPE = '/v1/webhooks/payments/stripe'

let shop: Shop
let own: string
beforeAll(async () => {
  shop = await openShop({ worker: false })
  own = `${SHARED}/${shop.keys.paymentEndpoint}`
})
afterAll(() => shop.close())

const addSecret = (provider: string, secret: string) =>
  workspaceCommands({ pool: shop.pool }).addPaymentSecret(shop.workspace, provider, secret)
const event = (more: object = {}) => ({
  id: newId('evt'),
  type: 'payment.created',
  created: Math.floor(Date.now() / 1_000),
  data: { id: newId('pay'), amount: 500, currency: 'eur' },
  ...more,
})
const refusal = ({ status, body }: request.Response) => [status, body.error?.code]
const FORGED = { secret: 'whsec_nobody' }
const refused = async (provider: string) => {
  const { text } = await shop.get('/metrics')
  const line = new RegExp(
    `^vinr_payment_events_refused_total\\{provider="${provider}"\\} (\\d+)$`,
    'm',
  )
  return Number(line.exec(text)?.[1] ?? 0)
}

/** Stripe's signature over an event. */
function stripe(
  path: string,
  secret: string,
  body = JSON.stringify(event({ data: { object: {} } })),
) {
  const at = Math.floor(Date.now() / 1_000)
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
  return request(shop.app)
    .post(path)
    .set('Content-Type', 'application/json')
    .set('Stripe-Signature', `t=${at},v1=${digest}`)
    .send(body)
}

describe('an endpoint’s own address', () => {
  it('takes what its secret signed, and is the same endpoint as at the shared address', async () => {
    const reported = event()
    expect((await shop.webhook(reported, { path: own })).body).toEqual({
      received: true,
      duplicate: false,
    })
    expect((await shop.webhook(reported)).body).toEqual({ received: true, duplicate: true })
  })

  it('takes no other endpoint’s, of the same workspace neither', async () => {
    const secret = 'whsec_of_another_endpoint'
    const other = await addSecret('sandbox', secret)
    expect((await shop.webhook(event(), { secret, path: `${SHARED}/${other}` })).status).toBe(200)
    expect(refusal(await shop.webhook(event(), { secret, path: own }))).toEqual([
      400,
      'invalid_signature',
    ])
  })

  it.each([
    ['that nobody has', () => `${SHARED}/whs_nobody`],
    ['of another provider', () => `${STRIPE}/${shop.keys.paymentEndpoint}`],
    ['that is none', () => `${SHARED}/evt_1`],
  ])('%s is 404', async (_which, path) => {
    expect(refusal(await shop.webhook(event(), { path: path() }))).toEqual([
      404,
      'resource_missing',
    ])
  })
})

describe('the shared address', () => {
  it('takes the sandbox’s secrets and those from before, and no new ones of a provider', async () => {
    const [fresh, before] = ['whsec_new_one', 'whsec_from_before']
    const endpoint = await addSecret('stripe', fresh)
    await addSecret('stripe', before)
    await shop.owner.query('update payment_secret set shared_address = true where secret = $1', [
      before,
    ])
    expect((await stripe(`${STRIPE}/${endpoint}`, fresh)).status).toBe(200)
    expect(refusal(await stripe(STRIPE, fresh))).toEqual([400, 'invalid_signature'])
    expect((await stripe(STRIPE, before)).status).toBe(200)
  })
})

describe('a body beyond the limit', () => {
  it.each([
    ['its own address', () => own],
    ['the shared one', () => SHARED],
  ])('is refused before its signature is looked at, at %s', async (_which, path) => {
    const before = await refused('sandbox')
    const reported = event({ note: 'x'.repeat(2 ** 20) })
    expect(refusal(await shop.webhook(reported, { ...FORGED, path: path() }))).toEqual([
      413,
      'body_too_large',
    ])
    expect(await refused('sandbox')).toBe(before)
  })
})

describe('false signatures', () => {
  it('are counted, and slowed by address; a true one from there is taken all the same', async () => {
    const before = await refused('sandbox')
    const MOST = 60
    const statuses: number[] = []
    for (let sent = 0; sent < MOST + 5; sent++) {
      const path = sent % 2 === 0 ? own : SHARED
      statuses.push((await shop.webhook(event(), { ...FORGED, path })).status)
    }
    expect(statuses.slice(-5)).toEqual(Array(5).fill(429))
    expect(statuses[0]).toBe(400)
    expect(await refused('sandbox')).toBe(before + MOST + 5)
    expect((await shop.webhook(event(), { path: own })).status).toBe(200)
    expect((await shop.webhook(event())).status).toBe(200)
  })
})
