import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { scopeOf } from '../../api/server/scopes.ts'
import { newId } from '../../domain/ids.ts'
import { SEARCH_SCOPES } from '../../domain/search.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

type Hit = { object: string; id: string; matched: string; label: string | null }
const ask = (q: string, key?: string) => shop.get(`/v1/search?q=${encodeURIComponent(q)}`, key)
const find = async (q: string, key?: string): Promise<Hit[]> => {
  const { status, body } = await ask(q, key)
  expect([status, body.error]).toEqual([200, undefined])
  return body.data
}
const post = async (path: string, body: object = {}) => {
  const { status, body: made } = await shop.post(path, body)
  if (status > 299) throw new Error(JSON.stringify(made))
  return made
}
const paid = async (fields: object = {}) => {
  const id = newId('pay')
  const data = { id, amount: 2_999, currency: 'eur', ...fields }
  const event = newId('evt')
  await shop.webhook({
    id: event,
    type: 'payment.completed',
    created: Math.floor(Date.now() / 1_000),
    livemode: false,
    data,
  })
  return { id, event }
}
const keyWith = async (...scopes: string[]): Promise<string> =>
  (await post('/v1/api_keys', { type: 'secret', name: 'narrow', scopes })).secret

describe('a search', () => {
  it('finds a member by id, customer, external id and the id of an identity', async () => {
    const customer = newId('op')
    const member = await post('/v1/loyalty/accounts', { customer })
    const external = newId('op')
    const identity = await post(`/v1/loyalty/accounts/${member.id}/identities`, {
      kind: 'external_id',
      external_id: external,
    })
    const hit = { object: 'loyalty_account', id: member.id, label: customer }
    expect(await find(member.id)).toEqual([{ ...hit, matched: 'id' }])
    expect(await find(customer)).toEqual([{ ...hit, matched: 'customer' }])
    expect(await find(external)).toEqual([{ ...hit, matched: 'external_id' }])
    expect(await find(identity.id)).toEqual([{ ...hit, matched: 'id' }])
  })

  it('finds a payment by its order number, its customer and its provider’s event', async () => {
    const customer = newId('op')
    const order = newId('op')
    const { id, event } = await paid({ customer, metadata: { order_number: order } })
    const hit = { object: 'payment', id }
    expect(await find(order)).toEqual([{ ...hit, matched: 'order_number', label: order }])
    expect(await find(`#${order}`)).toHaveLength(1)
    expect(await find(customer)).toContainEqual({ ...hit, matched: 'customer', label: order })
    expect(await find(id)).toEqual([{ ...hit, matched: 'id', label: order }])
    expect(await find(event)).toContainEqual({
      ...hit,
      matched: 'provider_event',
      label: 'payment.completed',
    })
    const reference = newId('op')
    const other = await paid({ metadata: { client_reference_id: reference } })
    expect(await find(reference)).toMatchObject([{ id: other.id, matched: 'order_number' }])
  })

  it('takes an order number of any length from a payment', async () => {
    const order = `${newId('op')}${'7'.repeat(5_000)}`
    const { id } = await paid({ metadata: { order } })
    expect(await find(order.slice(0, 200))).toMatchObject([{ id, matched: 'order_number' }])
  })

  it('finds a redemption by its discount code, and by the last four of its gift card', async () => {
    const { id: account } = await post('/v1/loyalty/accounts')
    await post('/v1/loyalty/transactions', { account, amount: 5_000, reason: 'welcome' })
    const held = await post('/v1/loyalty/redemptions', { account, reward: 'rwd_5eur_off' })
    const { code } = held.discount
    expect(await find(code.toLowerCase())).toEqual([
      { object: 'redemption', id: held.id, matched: 'code', label: code },
    ])
    const pool = await post('/v1/loyalty/code_pools', { name: 'Cinema' })
    await post(`/v1/loyalty/code_pools/${pool.id}/codes`, { codes: ['CINE-QX7Z', 'CINE-QX8Z'] })
    const reward = await post('/v1/loyalty/rewards', {
      name: 'Card',
      type: 'gift_card',
      cost: 1,
      value: { amount: 500, currency: 'EUR' },
      codes: { pool: pool.id },
    })
    const gift = await post('/v1/loyalty/redemptions', { account, reward: reward.id })
    const { last4 } = gift.gift_cards[0]
    const other = last4 === 'QX7Z' ? 'QX8Z' : 'QX7Z'
    const hit = { object: 'redemption', id: gift.id, matched: 'last4', label: `… ${last4}` }
    expect(await find(last4.toLowerCase())).toEqual([hit])
    expect(await find(other)).toEqual([]) // nobody's yet
    expect(await find(pool.id)).toMatchObject([{ object: 'code_pool', label: 'Cinema' }])
    expect(await find(reward.id)).toMatchObject([{ object: 'reward', label: 'Card' }])
  })

  it('finds every other kind by its id', async () => {
    const lists = [
      '/v1/loyalty/transactions',
      '/v1/loyalty/programs',
      '/v1/loyalty/earning_rules',
      '/v1/events',
      '/v1/requests',
      '/v1/api_keys',
      '/v1/reactors',
      '/v1/event_types',
      '/v1/webhook_endpoints',
    ]
    await post('/v1/webhook_endpoints', { url: 'https://example.com/hook', enabled_events: ['*'] })
    for (const path of lists) {
      const object = (await shop.get(`${path}?limit=1`)).body.data[0]
      if (object === undefined) continue
      expect(await find(object.id)).toContainEqual(
        expect.objectContaining({ object: object.object, id: object.id, matched: 'id' }),
      )
    }
  })

  it('answers the newest of what is many, and 20 at most', async () => {
    const customer = newId('op')
    const ids: string[] = []
    for (let made = 0; made < 7; made++) ids.push((await paid({ customer })).id)
    const hits = (await find(customer)).filter(({ object }) => object === 'payment')
    expect(hits.map(({ id }) => id)).toEqual(ids.reverse().slice(0, 5))
  })
})

it('lists the payments of an order, newest first, and no other', async () => {
  const order = newId('op')
  const metadata = { order_number: order }
  const first = await paid({ metadata })
  const second = await paid({ metadata })
  await paid({ metadata: { order_number: `${order}0` } })
  const list = async (query: string) =>
    (await shop.get(`/v1/payments?order_number=${query}`)).body.data.map(
      ({ id }: { id: string }) => id,
    )
  expect(await list(order)).toEqual([second.id, first.id])
  expect(await list(`${order}&limit=1&starting_after=${second.id}`)).toEqual([first.id])
  expect(await list('%25')).toEqual([])
})

describe('of a search', () => {
  it('nobody sees another workspace’s, nor what they may not read', async () => {
    const customer = newId('op')
    const member = await post('/v1/loyalty/accounts', { customer })
    await paid({ customer })
    const stranger = await shop.stranger()
    expect(await find(customer, stranger)).toEqual([])
    expect(await find(member.id, stranger)).toEqual([])
    const kinds = async (...scopes: string[]) =>
      (await find(customer, await keyWith('search:read', ...scopes))).map(({ object }) => object)
    expect(await kinds('accounts:read')).toEqual(['loyalty_account'])
    expect(await kinds('payments:read')).toEqual(['payment'])
    expect(await kinds('accounts:write')).toEqual([])
    const { status, body } = await ask(customer, await keyWith('accounts:read'))
    expect([status, body.error.code]).toEqual([403, 'key_not_allowed'])
  })

  it.each([
    '%',
    '_',
    '%%',
    "' or 1=1 --",
    '"',
    '\\',
    '*',
    '((((',
    'loy_%',
    'loy_',
    '🎁',
    '\u202E\u0645',
    '0',
  ])('nothing comes for %j, which is no name of anything', async (q) =>
    expect(await find(q)).toEqual([]),
  )

  it('marks of direction and spaces around a pasted text count for nothing', async () => {
    const customer = newId('op')
    await post('/v1/loyalty/accounts', { customer })
    expect(await find(` \u202B\u200E${customer}\u202C\u200F `)).toHaveLength(1)
    expect(await find('\u200F \u202C')).toEqual([])
  })

  it.each([
    ['q=', 'parameter_invalid'],
    ['', 'parameter_missing'],
    ['q=a%00b', 'parameter_invalid'],
    [`q=${'x'.repeat(10_000)}`, 'parameter_invalid'],
    ['q=a&q=b', 'parameter_invalid'],
    ['q[a]=b', 'parameter_invalid'],
    ['q=a&limit=5', 'parameter_unknown'],
  ])('%.20s is refused', async (query, code) => {
    const { status, body } = await shop.get(`/v1/search?${query}`)
    expect([status, body.error.code]).toEqual([400, code])
  })

  it('each kind needs the scope by which its own routes are read', () => {
    const scopes = new Set(
      ENDPOINTS.filter(({ method }) => method === 'GET').map((one) => scopeOf(one)),
    )
    for (const scope of Object.values(SEARCH_SCOPES)) expect(scopes).toContain(scope)
  })
})
