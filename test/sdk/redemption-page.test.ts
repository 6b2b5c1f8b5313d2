import { Vinr } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redeem } from '../support/redeem.ts'
import { type ShopServer, serve } from './served.ts'

/** "Redemption": each snippet as it is printed; only ids printed with dots are filled in. */

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: process.env.VINR_SECRET_KEY })
})
afterAll(() => shop.close())

test('redeeming for a discount, which is safe to retry', async () => {
  const spend = async () => {
    // 1. Spend points for a EUR 5.00 discount reward.
    const redemption = await vinr.loyalty.redemptions.create(
      {
        account: 'loy_8sd2k1',
        reward: 'rwd_fivecredit',
      },
      { idempotencyKey: 'rdm-cart-9f31' }, // safe to retry
    )
    // redemption.discount = { amount: 500, currency: 'EUR', code: 'VINR-9F31' }
    return redemption
  }
  const redemption = await spend()
  expect(redemption.discount).toMatchObject({ amount: 500, currency: 'EUR' })
  expect((await spend()).id).toBe(redemption.id)
})

test('applying the discount to a payment: a member without a customer, a payment with one', async () => {
  const redemption = await vinr.loyalty.redemptions.create({
    account: 'loy_8sd2k1',
    reward: 'rwd_fivecredit',
  })
  const payment = await vinr.payments.create({
    amount: 2999,
    currency: 'EUR',
    customer: 'cust_abc123',
    discounts: [{ redemption: redemption.id }], // pay_... charges 2499
  })
  expect(payment).toMatchObject({ amount_charged: 2499, redemptions: [redemption.id] })
})

test('redeeming for an item', async () => {
  const redemption = await vinr.loyalty.redemptions.create({
    account: 'loy_8sd2k1',
    reward: 'rwd_totebag',
    shipping: {
      name: 'Mira Olsen',
      line1: 'Storgata 12',
      city: 'Oslo',
      postalCode: '0155',
      country: 'NO',
    },
  })
  // redemption.status === 'fulfillment_pending'
  expect(redemption.status).toBe('fulfillment_pending')
})

test('marking it shipped', async () => {
  const redemption = await vinr.loyalty.redemptions.create({
    account: 'loy_9f2k',
    reward: 'rwd_totebag',
    shipping: {
      name: 'Mira Olsen',
      line1: 'Storgata 12',
      city: 'Oslo',
      postalCode: '0155',
      country: 'NO',
    },
  })
  await vinr.loyalty.redemptions.fulfill(redemption.id, { tracking: '...' })
  expect((await vinr.loyalty.redemptions.retrieve(redemption.id)).status).toBe('fulfilled')
})

test('manual reversal', async () => {
  await redeem(shop, { id: 'rdm_3kd9', account: 'loy_abc123' })
  // A member returns the item, or a discount was applied in error.
  await vinr.loyalty.redemptions.reverse('rdm_3kd9', {
    reason: 'item_returned',
  })
  // Emits loyalty.redemption.reversed and a positive ptx_ restoring the balance.
  const { data } = await vinr.events.list({ object: 'rdm_3kd9', limit: 1 })
  expect(data[0]).toMatchObject({
    type: 'loyalty.redemption.reversed',
    data: { status: 'reversed', reason: 'item_returned' },
  })
})
