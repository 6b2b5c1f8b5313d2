import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { balanceOf, ended } from '../support/redeem.ts'
import { eventsOf, itemReward } from '../support/redeem-item.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const REDEMPTIONS = '/v1/loyalty/redemptions'
const redeem = async (reward: string, more: object = {}) =>
  (await shop.post(REDEMPTIONS, { account: 'loy_8sd2k1', reward, ...more })).body
const ask = (id: string, verb: string, body: object = {}, idempotencyKey?: string) =>
  shop.post(`${REDEMPTIONS}/${id}/${verb}`, body, { idempotencyKey })

describe('an item reversed', () => {
  it('before it is shipped: points, stock and the member’s limit are back, nothing is shipped any more', async () => {
    const before = await balanceOf(shop)
    const reward = await itemReward(shop, { inventory: 1, limit: 1 })
    const item = await redeem(reward)
    const { body } = await ask(item.id, 'reverse', { reason: 'changed_mind' })
    expect(body).toMatchObject({
      status: 'reversed',
      reversed_points: 100,
      reversed_quantity: 1,
      fulfillment: { status: 'canceled', canceled: 1 },
    })
    expect(await balanceOf(shop)).toBe(before)
    expect((await ended(shop, item.id)).status).toBe('reversed')
    const late = await ask(item.id, 'fulfill', { tracking: 'x' })
    expect([late.status, late.body.error.status]).toEqual([422, 'reversed'])
    expect((await redeem(reward)).status).toBe('fulfillment_pending')
  })

  it('after it is shipped: returned', async () => {
    const before = await balanceOf(shop)
    const item = await redeem(await itemReward(shop))
    await ask(item.id, 'fulfill', { tracking: 'x' })
    const { body } = await ask(item.id, 'reverse', { reason: 'item_returned' })
    expect(body).toMatchObject({
      status: 'reversed',
      reason: 'item_returned',
      fulfillment: { status: 'returned', shipped: 1, canceled: 0 },
    })
    expect(await balanceOf(shop)).toBe(before)
    expect(await eventsOf(shop, item.id)).toEqual(['created', 'fulfilled', 'reversed'])
  })

  it('in part by quantity: what was not shipped goes first, and stock has it back once', async () => {
    const reward = await itemReward(shop, { inventory: 10, limit: 5 })
    const item = await redeem(reward, { quantity: 5 })
    await ask(item.id, 'fulfill', { quantity: 2 })
    const one = await ask(item.id, 'reverse', { reason: 'one_less', quantity: 1 }, 'less-1')
    const repeat = await ask(item.id, 'reverse', { reason: 'one_less', quantity: 1 }, 'less-1')
    expect(repeat.body).toEqual(one.body)
    expect(one.body).toMatchObject({
      status: 'fulfillment_pending',
      reversed_points: 100,
      reversed_quantity: 1,
      fulfillment: { shipped: 2, canceled: 1 },
    })
    const stock = async () => (await shop.get(`/v1/loyalty/rewards/${reward}`)).body.inventory
    expect(await stock()).toBe(6)
    const rest = await ask(item.id, 'reverse', { reason: 'no_more', quantity: 2 })
    expect(rest.body).toMatchObject({ status: 'fulfilled', reversed_quantity: 3 })
    expect(await eventsOf(shop, item.id)).toEqual(['created', 'reversed', 'reversed', 'fulfilled'])
    expect((await ended(shop, item.id)).status).toBe('fulfilled')
    expect((await redeem(reward, { quantity: 3 })).status).toBe('fulfillment_pending')
    const limited = await shop.post(REDEMPTIONS, { account: 'loy_8sd2k1', reward })
    expect(limited.body.error).toMatchObject({ code: 'limit_reached', used: 5 })
    const returned = await ask(item.id, 'reverse', { reason: 'item_returned', quantity: 2 })
    expect(returned.body).toMatchObject({ status: 'reversed', reversed_points: 500 })
    expect(await stock()).toBe(7)
  })

  it('in part by points: a gesture that leaves the item on its way', async () => {
    const item = await redeem(await itemReward(shop, { inventory: 3 }))
    const { body } = await ask(item.id, 'reverse', { reason: 'late', points: 30 })
    expect(body).toMatchObject({
      status: 'fulfillment_pending',
      reversed_points: 30,
      reversed_quantity: 0,
    })
    expect((await ask(item.id, 'fulfill')).body.status).toBe('fulfilled')
  })

  it('by more than is left is refused, as are points and quantity together', async () => {
    const item = await redeem(await itemReward(shop), { quantity: 2 })
    const tooMany = await ask(item.id, 'reverse', { reason: 'x', quantity: 3 })
    expect([tooMany.status, tooMany.body.error]).toMatchObject([
      400,
      { param: 'quantity', left: 2 },
    ])
    const both = await ask(item.id, 'reverse', { reason: 'x', quantity: 1, points: 5 })
    expect([both.status, both.body.error.param]).toEqual([400, 'quantity'])
  })
})
