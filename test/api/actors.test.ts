import request from 'supertest'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { ended } from '../support/redeem.ts'
import { startedRun } from '../support/run.ts'
import { person } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
let key: { type: string; id: string; name?: string }
beforeAll(async () => {
  shop = await openShop()
  const { body } = await shop.get('/v1/api_keys?type=secret')
  key = { type: 'api_key', id: body.data[0].id }
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const ACCOUNT = 'loy_8sd2k1'
const adjust = (amount = 100) =>
  shop.post('/v1/loyalty/transactions', { account: ACCOUNT, amount, reason: 'goodwill' })
const newest = async (query: string) =>
  (await shop.get(`/v1/loyalty/transactions?account=${ACCOUNT}&${query}`)).body.data[0]
const eventOf = async (object: string) =>
  (await shop.get(`/v1/events?object=${object}`)).body.data[0]

test('a transaction and its event name the key, and the person whom the request names', async () => {
  const { body } = await adjust()
  expect(body.actor).toEqual(key)
  expect((await eventOf(body.id)).actor).toEqual(key)
  const named = await adjust().set('Vinr-Actor', 'e-1841; name="Anna"')
  const actor = { ...key, on_behalf_of: { id: 'e-1841', name: 'Anna' } }
  expect(named.body.actor).toEqual(actor)
  const event = await eventOf(named.body.id)
  expect([event.actor, event.data.actor]).toEqual([actor, actor])
})

test('a name may be any text in UTF-8', async () => {
  const sent = Buffer.from('e-1841; name="Zoë Þórsdóttir 李"').toString('latin1')
  const { id } = (await adjust()).body
  const { body } = await request(shop.app) // without a body: with one Node would send the header as UTF-8 twice
    .post(`/v1/loyalty/transactions/${id}/reverse`)
    .set('X-Api-Key', shop.keys.secretKey)
    .set('Vinr-Actor', sent)
  expect(body.actor.on_behalf_of).toEqual({ id: 'e-1841', name: 'Zoë Þórsdóttir 李' })
})

test.each(['', 'two words', 'a'.repeat(101), 'e-1; name=Anna', 'e-1; role="owner"'])(
  'Vinr-Actor %j is refused by name, on reads too, and nothing is written',
  async (header) => {
    const before = (await newest('')).id
    for (const asked of [adjust(), shop.get('/v1/loyalty/transactions')]) {
      const { status, body } = await asked.set('Vinr-Actor', header)
      expect([status, body.error.code, body.error.param]).toEqual([
        400,
        'parameter_invalid',
        'Vinr-Actor',
      ])
    }
    expect((await newest('')).id).toBe(before)
  },
)

test('what a command writes in a transaction of several statements names who asked', async () => {
  const customer = newId('op')
  const { body } = await shop.post('/v1/loyalty/accounts', { customer }).set('Vinr-Actor', 'e-1841')
  const { data } = (await shop.get(`/v1/events?object=${body.id}`)).body
  expect(data.map(({ actor }: { actor: object }) => actor)).toEqual([
    { ...key, on_behalf_of: { id: 'e-1841' } },
  ])
})

test('what a person does by a session names the person', async () => {
  const anna = await person(shop, 'owner')
  const movement = { account: ACCOUNT, amount: 3, reason: 'sorry' }
  const { body } = await anna.send('post', '/v1/loyalty/transactions', movement)
  const actor = { type: 'user', id: anna.id, name: 'owner' }
  expect([body.actor, (await eventOf(body.id)).actor]).toEqual([actor, actor])
})

test('a request without the header after one with it names nobody', async () => {
  for (let i = 0; i < 20; i++) {
    await adjust().set('Vinr-Actor', `e-${i}`)
    expect((await adjust()).body.actor).toEqual(key)
  }
})

test('points held by a key are released by the workflow', async () => {
  const redeemed = (
    await shop.post('/v1/loyalty/redemptions', { account: ACCOUNT, reward: 'rwd_fivecredit' })
  ).body
  expect((await newest('type=redeem')).actor).toEqual(key)
  await startedRun(shop.engine, redeemed.id).then((run) => run.cancel())
  await ended(shop, redeemed.id)
  const released = await newest('type=release')
  expect(released.actor).toEqual({ type: 'workflow', id: redeemed.id })
})

test('what a provider reports names its endpoint', async () => {
  const id = newId('pay')
  await shop.post('/v1/loyalty/earning_rules', {
    trigger: 'payment.completed',
    award: { per_amount: { points: 1, amount: 100, currency: 'eur' } },
  })
  const data = { id, amount: 4_200, currency: 'eur', customer: 'cust_abc123', status: 'completed' }
  const report = {
    id: newId('evt'),
    type: 'payment.completed',
    created: Math.floor(Date.now() / 1_000),
    data,
  }
  expect((await shop.webhook(report)).status).toBe(200)
  const { body } = await shop.get('/v1/loyalty/transactions?account=loy_9f2k&type=earn')
  expect(body.data[0].actor).toEqual({
    type: 'provider',
    id: expect.stringMatching(/^whs_/),
    name: 'sandbox',
  })
  const event = (await shop.get('/v1/events?type=payment.completed')).body.data[0]
  expect(event.actor).toEqual(body.data[0].actor)
})

test('an import’s rows name its workflow, for who asked and their person', async () => {
  const csv = `account,amount,reason\n${ACCOUNT},7,moved\n`
  const sent = await request(shop.app)
    .post('/v1/loyalty/imports')
    .set('X-Api-Key', shop.keys.secretKey)
    .set('Vinr-Actor', 'e-7')
    .set('Content-Type', 'text/csv')
    .send(csv)
  const { id, batch } = sent.body
  await vi.waitFor(async () => expect(await newest(`batch=${batch}`)).toBeDefined(), 20_000)
  expect((await newest(`batch=${batch}`)).actor).toEqual({
    type: 'workflow',
    id,
    on_behalf_of: { ...key, on_behalf_of: { id: 'e-7' } },
  })
})

test('points that expire while a key writes name the date, not the key', async () => {
  const past = new Date(Date.now() + 1_000).toISOString()
  const lot = { account: 'loy_abc123', amount: 5, reason: 'short', expires_at: past }
  await shop.post('/v1/loyalty/transactions', lot)
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await shop.post('/v1/loyalty/transactions', { account: 'loy_abc123', amount: 1, reason: 'next' })
  const { body } = await shop.get('/v1/loyalty/transactions?account=loy_abc123&type=expire')
  expect(body.data[0].actor).toEqual({ type: 'system', id: 'expiry' })
})

test('a row from before has no actor', async () => {
  const { body } = await adjust()
  await shop.owner.query(`alter table ptx disable trigger user;
    update ptx set actor = null where id = '${body.id}'; alter table ptx enable trigger user`)
  expect((await shop.get(`/v1/loyalty/transactions/${body.id}`)).body.actor).toBeNull()
  expect((await eventOf(body.id)).actor).toBeNull()
})
