import { memberToken, Vinr, VinrNotFoundError } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ShopServer, serve } from './served.ts'

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: shop.keys.secretKey })
})
afterAll(() => shop.close())

test('a till reads the wallet, the rate and what points are worth', async () => {
  await vinr.settings.merge({ pointsCurrencyValue: 0.005 })
  expect(await vinr.settings.retrieve()).toEqual({ pointsCurrencyValue: 0.005 })
  const wallet = await vinr.wallets.retrieve('loy_8sd2k1')
  expect(wallet.value.pointsCurrencyValue).toBe('0.005')
  expect(await vinr.wallets.convert('loy_8sd2k1', { points: 501 })).toMatchObject({ amount: 250 })
  expect(await vinr.wallets.convert('loy_8sd2k1', { amount: 250 })).toMatchObject({ points: 500 })
})

test('a token that the app made by itself is who the till finds', async () => {
  const device = await vinr.members.identify('loy_8sd2k1', { kind: 'device' })
  const token = memberToken(device.id, device.secret ?? '')
  const { user, identified_by } = await vinr.members.lookUp({ token, till: 'till-1' })
  expect([user, identified_by]).toEqual(['loy_8sd2k1', 'qr'])
  const [listed] = (await vinr.members.identities('loy_8sd2k1')).data
  expect(listed).toMatchObject({ id: device.id, kind: 'device' })
  expect(await vinr.members.identity(device.id)).not.toHaveProperty('secret')
  await vinr.members.revoke(device.id)
  const later = memberToken(device.id, device.secret ?? '', new Date(Date.now() + 30_000))
  await expect(vinr.members.lookUp({ token: later })).rejects.toThrow(VinrNotFoundError)
})

test('a till redeems points, holds them for a sale, and undoes what failed', async () => {
  const schema = {
    type: 'object',
    properties: { points: { type: 'integer' } },
    required: ['points'],
  }
  await shop.post('/v1/event_types', { name: 'REDEEMED_POINTS', schema })
  await shop.post('/v1/reactors', {
    name: 'Redeem points',
    trigger: 'REDEEMED_POINTS',
    reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
  })
  const about = { type: 'REDEEMED_POINTS', user: 'loy_8sd2k1', payload: { points: 500 } }
  const { points } = await vinr.wallets.retrieve('loy_8sd2k1')
  const sale = await vinr.tillEvents.report({ ...about, eventId: 'sdk-1' }, { strict: true })
  expect(sale.balance).toBe(points - 500)
  const undone = await vinr.tillEvents.reverse('sdk-1', { ...about, eventId: 'sdk-2' })
  expect(undone.balance).toBe(points)

  await vinr.tillEvents.report({ ...about, eventId: 'sdk-3', hold: true })
  expect((await vinr.tillEvents.confirm('sdk-3')).hold?.status).toBe('confirmed')
  await vinr.tillEvents.report({ ...about, eventId: 'sdk-4', hold: true })
  expect((await vinr.tillEvents.cancel('sdk-4')).hold?.status).toBe('returned')
  expect((await vinr.wallets.retrieve('loy_8sd2k1')).points).toBe(points - 500)
})
