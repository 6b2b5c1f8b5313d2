import { afterAll, beforeAll, expect, it } from 'vitest'
import { workspaceCommands } from '../../app/workspaces.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

it('discount codes that nobody has may be tried sixty times a minute and key; then payments with a code wait, others do not', async () => {
  const { key } = await workspaceCommands(shop).createKey(shop.workspace, 'secret')
  const pay = (discounts: object[], by = key) =>
    shop.post(
      '/v1/payments',
      { amount: 5_000, currency: 'EUR', card: '4242424242424242', discounts },
      { key: by },
    )
  for (let guess = 0; guess < 60; guess++) {
    const { status, body } = await pay([{ code: `VINR-GUESS-${guess}` }])
    expect([guess, status, body.error?.param]).toEqual([guess, 404, 'discounts'])
  }
  const { body: redemption } = await shop.post('/v1/loyalty/redemptions', {
    account: 'loy_9f2k',
    reward: 'rwd_5eur_off',
  })
  const { code } = redemption.discount
  const refused = await pay([{ code }])
  expect([refused.status, refused.body.error?.code]).toEqual([429, 'too_many_requests'])
  expect((await pay([])).status).toBe(201)
  const { status, body } = await pay([{ code }], shop.keys.secretKey)
  expect([status, body.amount_charged]).toEqual([201, 4_500])
})
