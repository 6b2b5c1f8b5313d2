import { afterAll, beforeAll, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { balanceOf, ended, pay, redeem, redemptionOf } from '../support/redeem.ts'

let house: House

beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

test('redeem, pay: applied, and the points are spent', async () => {
  const { redemption } = await redeem(house)
  const { payment } = await pay(house, [redemption])
  expect(payment).toMatchObject({ status: 'completed', amount_charged: 2_499 })
  expect(await ended(house, redemption)).toMatchObject({ status: 'applied' })
  expect(await redemptionOf(house, redemption)).toMatchObject({
    status: 'applied',
    payment: payment?.id,
  })
  expect(await balanceOf(house)).toBe(4_500)
})

test('redeem, decline: released, and the points are back', async () => {
  const { redemption } = await redeem(house)
  await pay(house, [redemption], 'failed')
  expect(await ended(house, redemption)).toMatchObject({ status: 'released' })
  expect(await redemptionOf(house, redemption)).toMatchObject({
    status: 'released',
    reason: 'payment_failed',
  })
  expect(await balanceOf(house)).toBe(4_500)
})

test('redeem, wait: released at the deadline', async () => {
  const { redemption } = await redeem(house, { holdMs: 1_500 })
  expect(await ended(house, redemption)).toMatchObject({ status: 'released' })
  expect(await redemptionOf(house, redemption)).toMatchObject({
    status: 'released',
    reason: 'expired',
  })
  expect(await balanceOf(house)).toBe(4_500)
  expect(await house.reconcile()).toEqual([])
})
