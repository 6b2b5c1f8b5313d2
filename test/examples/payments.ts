import { createHmac } from 'node:crypto'
import { expect } from 'vitest'
import type { Book } from './book.ts'

const REWARDS = '/v1/loyalty/rewards'
const REDEMPTIONS = '/v1/loyalty/redemptions'
const PAYMENTS = '/v1/payments'

/** From the catalogue over a redemption to the payment that takes it, and its refund. */
export async function payments(book: Book): Promise<void> {
  const { ask, shop } = book
  await catalogue(book)
  const redemption = await redemptions(book)
  const paid = await ask(`POST ${PAYMENTS}`, 'With a redemption', {
    body: {
      amount: 2_999,
      currency: 'EUR',
      customer: 'cust_abc123',
      discounts: [{ redemption: redemption.id }],
      card: '4242 4242 4242 4242',
    },
    idempotencyKey: 'order-9f31',
  })
  await expect
    .poll(async () => (await shop.get(`${REDEMPTIONS}/${redemption.id}`)).body.status)
    .toBe('applied')
  await ask(`GET ${REDEMPTIONS}/{id}`, 'Applied', { path: { id: redemption.id } })
  await ask(`GET ${PAYMENTS}/{id}`, 'A payment', { path: { id: paid.id } })
  await ask('GET /v1/search', 'By a customer', { query: { q: 'cust_abc123' } })
  await ask(`POST ${PAYMENTS}/{id}/replay_award`, 'What it earned', {
    path: { id: paid.id },
    body: {},
  })
  await ask(`POST ${PAYMENTS}`, 'A redemption that is used', {
    body: { amount: 500, currency: 'eur', discounts: [{ redemption: redemption.id }] },
    refused: 422,
  })
  await ask(`POST ${PAYMENTS}`, 'Declined', {
    body: { amount: 2_999, currency: 'eur', card: '4000 0000 0000 0002' },
  })
  const open = await ask(`POST ${PAYMENTS}`, 'Waits for a confirmation', {
    body: { amount: 4_200, currency: 'eur', card: '4000 0000 0000 3220' },
  })
  await ask(`POST ${PAYMENTS}/{id}/confirm`, 'Confirmed', { path: { id: open.id }, body: {} })
  const abandoned = await ask(`POST ${PAYMENTS}`, 'Open', {
    body: { amount: 4_200, currency: 'eur' },
  })
  await ask(`POST ${PAYMENTS}/{id}/cancel`, 'Canceled', { path: { id: abandoned.id }, body: {} })
  await ask(`GET ${PAYMENTS}`, 'The newest', { query: { limit: 1 } })

  const refund = await ask('POST /v1/refunds', 'A part of it', {
    body: { payment: paid.id, amount: 1_000, reason: 'item_returned' },
  })
  await ask('GET /v1/refunds/{id}', 'A refund', { path: { id: refund.id } })
  await ask(`GET ${PAYMENTS}/{id}/earnings`, 'Why it earned what it did', {
    path: { id: paid.id },
  })
  await ask('GET /v1/refunds', 'Of a payment', { query: { payment: paid.id } })
  await provider(book)
}

async function catalogue({ ask }: Book): Promise<void> {
  const reward = await ask(`POST ${REWARDS}`, 'EUR 5 off', {
    body: {
      name: 'EUR 5 off your order',
      type: 'discount_amount',
      cost: 500,
      value: { amount: 500, currency: 'EUR' },
      per_member_limit: 10,
    },
  })
  await ask(`GET ${REWARDS}/{id}`, 'A reward', { path: { id: reward.id } })
  await ask(`PATCH ${REWARDS}/{id}`, 'No longer offered', {
    path: { id: reward.id },
    body: { active: false },
  })
  await ask(`GET ${REWARDS}`, 'What a member can afford', {
    query: { account: 'loy_8sd2k1', limit: 2 },
  })
  await ask(`POST ${REDEMPTIONS}`, 'A reward that is not offered', {
    body: { account: 'loy_8sd2k1', reward: reward.id },
    refused: 422,
  })
}

/** One of each end; returns the one that is still pending. */
async function redemptions({ ask }: Book) {
  const five = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit' }
  await ask('POST /v1/loyalty/quotes', 'What it would give', { body: five })
  const held = await ask(`POST ${REDEMPTIONS}`, 'A discount', {
    body: five,
    idempotencyKey: 'rdm-cart-9f31',
  })
  await ask(`POST ${REDEMPTIONS}`, 'The key for something else', {
    body: { ...five, reward: 'rwd_totebag' },
    idempotencyKey: 'rdm-cart-9f31',
    refused: 409,
  })
  await ask(`POST ${REDEMPTIONS}`, 'More than there is', {
    body: { ...five, quantity: 20 },
    refused: 422,
  })
  await ask(`POST ${REDEMPTIONS}/{id}/extend`, 'Half an hour longer', {
    path: { id: held.id },
    body: { minutes: 30 },
  })
  const bag = await ask(`POST ${REDEMPTIONS}`, 'Goods', {
    body: {
      account: 'loy_8sd2k1',
      reward: 'rwd_totebag',
      shipping: {
        name: 'Mira Olsen',
        line1: 'Storgata 12',
        city: 'Oslo',
        postalCode: '0155',
        country: 'NO',
      },
    },
  })
  await ask(`POST ${REDEMPTIONS}/{id}/reverse`, 'Out of stock after all', {
    path: { id: bag.id },
    body: { reason: 'out_of_stock' },
  })
  await parcels(ask)
  const dropped = await ask(`POST ${REDEMPTIONS}`, 'Another discount', { body: five })
  await ask(`POST ${REDEMPTIONS}/{id}/cancel`, 'The cart was left', {
    path: { id: dropped.id },
    body: {},
  })
  await ask(`POST ${REDEMPTIONS}/{id}/cancel`, 'Settled already', {
    path: { id: bag.id },
    body: {},
    refused: 422,
  })
  await ask(`GET ${REDEMPTIONS}`, 'What is pending', {
    query: { account: 'loy_8sd2k1', status: 'pending' },
  })
  return held
}

/** Goods that leave one by one. */
async function parcels(ask: Book['ask']): Promise<void> {
  const two = await ask(`POST ${REDEMPTIONS}`, 'Two of them', {
    body: { account: 'loy_abc123', reward: 'rwd_totebag', quantity: 2 },
  })
  const path = { id: two.id }
  await ask(`POST ${REDEMPTIONS}/{id}/fulfill`, 'The first of two parcels', {
    path,
    body: { tracking: '00340434161094042557', carrier: 'DHL', quantity: 1 },
  })
  await ask(`POST ${REDEMPTIONS}/{id}/fulfill`, 'More than is left', {
    path,
    body: { quantity: 2 },
    refused: 400,
  })
  await ask(`POST ${REDEMPTIONS}/{id}/fulfill`, 'All that is left', {
    path,
    body: { tracking: '00340434161094042564', carrier: 'DHL' },
  })
}

/** A provider's news, signed. */
async function provider({ ask, shop }: Book): Promise<void> {
  const created = Math.floor(Date.now() / 1_000)
  const data = { id: 'pay_till_0815', amount: 1_850, currency: 'eur', customer: 'cust_abc123' }
  const event = { id: 'evt_till_0815', type: 'payment.completed', created, data }
  const body = JSON.stringify(event)
  const digest = createHmac('sha256', shop.keys.paymentSecret).update(`${created}.${body}`)
  const path = { provider: 'sandbox', id: shop.keys.paymentEndpoint }
  const headers = { 'x-vinr-signature': `t=${created},v1=${digest.digest('hex')}` }
  const own = 'POST /v1/webhooks/payments/{provider}/{id}'
  await ask(own, 'A payment from elsewhere', { path, body: event, headers })
  await ask('POST /v1/webhooks/payments/{provider}', 'The same, without an endpoint', {
    path: { provider: 'sandbox' },
    body: event,
    headers,
  })
  await ask(own, 'Signed by nobody we know', {
    path,
    body: { ...event, id: 'evt_till_0816' },
    headers,
    refused: 400,
  })
}
