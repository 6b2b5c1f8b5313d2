import { Vinr, VinrError } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ShopServer, serve } from './served.ts'

/** "Redeeming points" at a till, as docs/reactors.md does it with the SDK. */

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: process.env.VINR_SECRET_KEY })
})
afterAll(() => shop.close())

test('a till redeems points, once, and cannot redeem what is not there', async () => {
  await vinr.eventTypes.create({
    name: 'REDEEMED_POINTS',
    schema: {
      type: 'object',
      properties: { points: { type: 'integer', minimum: 1 } },
      required: ['points'],
      additionalProperties: false,
    },
  })
  const reactor = await vinr.reactors.create({
    name: 'Redeem points',
    trigger: 'REDEEMED_POINTS',
    reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
  })
  const user = 'loy_8sd2k1'
  const { balance } = await vinr.loyalty.accounts.retrieve(user)
  const event = {
    type: 'REDEEMED_POINTS',
    user,
    payload: { points: 500 },
    eventId: 'till-7/2026-05-12/0001',
  }
  const dry = await vinr.events.report(event, { dryRun: true })
  expect(dry).toMatchObject({ status: 'dry_run', points: -500, balance: balance - 500 })
  const reported = await vinr.events.report(event, { strict: true })
  expect(reported).toMatchObject({ status: 'processed', points: -500, balance: balance - 500 })
  expect(await vinr.events.report(event, { strict: true })).toEqual(reported)

  const tooMuch = { ...event, eventId: 'too-much', payload: { points: balance } }
  const refused = vinr.events.report(tooMuch, { strict: true })
  await expect(refused).rejects.toThrow(VinrError)
  await expect(refused).rejects.toMatchObject({ code: 'insufficient_points', missing: 500 })

  const tried = { user, payload: { points: 1 } }
  expect(await vinr.reactors.dryRun(reactor.id, tried)).toMatchObject({ points: -1 })
  expect(await vinr.reactors.update(reactor.id, { active: false })).toMatchObject({ version: 2 })
  expect((await vinr.reactors.list({ trigger: 'REDEEMED_POINTS' })).data).toHaveLength(1)
  expect(await vinr.reactors.delete(reactor.id)).toMatchObject({ deleted: true })
  expect(await vinr.eventTypes.retrieve('REDEEMED_POINTS')).toMatchObject({ version: 1 })
})
