import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { underV1 } from '../../api/server/declaration.ts'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { SETTLED_BY } from '../../domain/attention.ts'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

type Item = {
  id: string
  kind: string
  object_id: string
  since: string
  times: number
  status: string
  settled_by: string[]
  details: Record<string, unknown>
}

const ok = async (sent: ReturnType<Shop['post']>) => {
  const { status, body } = await sent
  if (status > 299) throw new Error(JSON.stringify(body))
  return body
}
const post = (path: string, body: object = {}) => ok(shop.post(path, body))
const listed = async (query = ''): Promise<Item[]> =>
  (await ok(shop.get(`/v1/attention?limit=100${query}`))).data
const about = async (object: string, query = '') =>
  (await listed(query)).find(({ object_id }) => object_id === object)
const until = (object: string, query = '') =>
  expect.poll(() => about(object, query), { timeout: 20_000 })

const member = async (points = 1_000): Promise<string> => {
  const { id } = await post('/v1/loyalty/accounts')
  await post('/v1/loyalty/transactions', { account: id, amount: points, reason: 'welcome' })
  return id
}
const event = (type: string, data: object) =>
  shop.webhook({
    id: newId('evt'),
    type,
    created: Math.floor(Date.now() / 1_000),
    livemode: false,
    data: { amount: 2_999, currency: 'eur', ...data },
  })

/** A pool with one code left, which is too few. */
async function lowPool(): Promise<string> {
  const { id: pool } = await post('/v1/loyalty/code_pools', { name: 'Cinema', low_at: 1 })
  await post(`/v1/loyalty/code_pools/${pool}/codes`, { codes: [newId('op'), newId('op')] })
  await takeCode(pool)
  return pool
}
async function takeCode(pool: string) {
  const { id: reward } = await post('/v1/loyalty/rewards', {
    name: 'Card',
    type: 'gift_card',
    cost: 1,
    value: { amount: 500, currency: 'EUR' },
    codes: { pool },
  })
  await post('/v1/loyalty/redemptions', { account: await member(), reward })
}

describe('what needs a person', () => {
  it('is a redemption whose discount was charged after its release, until somebody resolves it', async () => {
    const account = await member()
    const held = await post('/v1/loyalty/redemptions', { account, reward: 'rwd_5eur_off' })
    const payment = newId('pay')
    await event('payment.created', { id: payment, redemptions: [held.id] })
    await post(`/v1/loyalty/redemptions/${held.id}/cancel`)
    await event('payment.completed', { id: payment, amount_charged: 2_499 })
    await until(held.id).toMatchObject({ kind: 'late_payment', details: { payment, account } })
    const item = await about(held.id)
    const path = `/v1/attention/${item?.id}`
    const reason = 'The shop bears it.'
    const resolved = await post(`${path}/resolve`, { reason })
    expect(resolved).toMatchObject({
      status: 'settled',
      decision: { verb: 'resolved', reason, actor: { type: 'api_key' } },
    })
    expect(await about(held.id)).toBeUndefined()
    expect(await about(held.id, '&status=settled')).toEqual(resolved)
    const again = await shop.post(`${path}/resolve`, { reason })
    expect([again.status, again.body.error.code]).toEqual([400, 'parameter_invalid'])
  })

  it('is a payment that named a redemption which could not be attached, once for each', async () => {
    const account = await member()
    const held = await post('/v1/loyalty/redemptions', { account, reward: 'rwd_5eur_off' })
    await event('payment.created', { id: newId('pay'), redemptions: [held.id] })
    const second = newId('pay')
    await event('payment.created', { id: second, redemptions: [held.id] })
    await event('payment.processing', { id: second, redemptions: [held.id] })
    expect(await about(second)).toMatchObject({
      kind: 'discount_refused',
      times: 1,
      details: { redemption: held.id, code: 'redemption_already_attached' },
    })
  })

  it('is an import of which rows were refused', async () => {
    const { body } = await request(shop.app)
      .post('/v1/loyalty/imports?batch=refused')
      .set('X-Api-Key', shop.keys.secretKey)
      .set('Content-Type', 'application/x-ndjson')
      .send(`${JSON.stringify({ account: await member(10), amount: -500 })}\n`)
    expect(body.id).toMatch(/^imp_/)
    await until(body.id).toMatchObject({ kind: 'rows_refused', details: { refused: 1 } })
  })

  it('is an item that was not shipped in time, from its deadline until it is', async () => {
    const { id: reward } = await post('/v1/loyalty/rewards', {
      name: 'Bag',
      type: 'free_product',
      cost: 10,
      value: { product: 'Bag', quantity: 1 },
      fulfillment: { deadlineDays: 7 },
    })
    const shipping = { name: 'A', line1: 'B', city: 'C', postalCode: '1', country: 'NO' }
    const parcel = await post('/v1/loyalty/redemptions', {
      account: await member(),
      reward,
      shipping,
    })
    const { rows } = await shop.owner.query(
      `update redemption set overdue_at = clock_timestamp() - interval '1 hour'
       where id = $1 returning overdue_at`,
      [parcel.id],
    )
    await shop.commands.actOnOverdueFulfillment({
      workspace: shop.workspace,
      redemption: parcel.id,
      at: new Date().toISOString(),
    })
    expect(await about(parcel.id)).toMatchObject({
      kind: 'fulfillment_overdue',
      since: rows[0].overdue_at.toISOString(),
    })
    await post(`/v1/loyalty/redemptions/${parcel.id}/fulfill`, { tracking: '1', carrier: 'DHL' })
    expect(await about(parcel.id)).toBeUndefined()
  })

  it('is an endpoint that fails, then one that is disabled for it, until it is enabled', async () => {
    const { id } = await post('/v1/webhook_endpoints', {
      url: 'http://127.0.0.1:9/',
      enabled_events: ['none'],
    })
    await post(`/v1/webhook_endpoints/${id}/test`)
    await until(id).toMatchObject({ kind: 'webhook_endpoint_failing' })
    await shop.owner.query(
      `with workspace as (select set_config('vinr.workspace', $1, true))
       select ledger.webhook_disable(w, 'failing') from workspace, webhook_endpoint w where w.id = $2`,
      [shop.workspace, id],
    )
    expect(await about(id)).toMatchObject({
      kind: 'webhook_endpoint_disabled',
      details: { reason: 'failing' },
    })
    await ok(shop.patch(`/v1/webhook_endpoints/${id}`, { status: 'enabled' }))
    expect(await about(id)).toBeUndefined()
  })
})

describe('a state that comes and goes', () => {
  it('is settled by itself, and open anew when it comes again, whatever was snoozed before', async () => {
    const pool = await lowPool()
    const first = await about(pool)
    expect(first).toMatchObject({
      kind: 'code_pool_low',
      settled_by: [`POST /v1/loyalty/code_pools/${pool}/codes`],
    })
    const reason = 'New ones come on Monday.'
    const far = '2100-01-01T00:00:00Z'
    await post(`/v1/attention/${first?.id}/snooze`, { until: far, reason })
    await post(`/v1/loyalty/code_pools/${pool}/codes`, { codes: [newId('op')] })
    expect(await about(pool, '&status=settled')).toMatchObject({ id: first?.id })
    await takeCode(pool)
    const again = await about(pool)
    expect(again).toMatchObject({ id: first?.id, snoozed_until: null, decision: null })
    expect(again?.since).not.toBe(first?.since)
  })

  it('that is snoozed comes back at its time', async () => {
    const pool = await lowPool()
    const item = await about(pool)
    const soon = new Date(Date.now() + 1_500).toISOString()
    await post(`/v1/attention/${item?.id}/snooze`, { until: soon, reason: 'After lunch.' })
    expect(await about(pool)).toBeUndefined()
    expect(await about(pool, '&status=snoozed')).toMatchObject({ snoozed_until: soon })
    await until(pool).toMatchObject({ id: item?.id, status: 'open' })
    expect((await listed())[0]?.id).toBe(item?.id)
  })

  it('is not snoozed into the past', async () => {
    const item = await about(await lowPool())
    const { status, body } = await shop.post(`/v1/attention/${item?.id}/snooze`, {
      until: '2020-01-01T00:00:00Z',
      reason: 'Never mind.',
    })
    expect([status, body.error.param]).toEqual([400, 'until'])
  })
})

describe('the list', () => {
  it('is read by pages, forward and back, of a kind or all', async () => {
    await Promise.all([lowPool(), lowPool(), lowPool()])
    for (const query of ['', '&kind=code_pool_low']) {
      const whole = await listed(query)
      const paged: Item[] = []
      for (let more = true; more; ) {
        const last = paged.at(-1)
        const after = last === undefined ? '' : `&starting_after=${last.id}`
        const page = await ok(shop.get(`/v1/attention?limit=2${query}${after}`))
        paged.push(...page.data)
        more = page.has_more
      }
      expect(paged).toEqual(whole)
      const back = await ok(shop.get(`/v1/attention?ending_before=${whole.at(-1)?.id}${query}`))
      expect(back.data).toEqual(whole.slice(0, -1))
    }
  })

  it('names routes that there are', () => {
    const routes = new Set(ENDPOINTS.map(({ method, path }) => `${method} ${underV1(path)}`))
    const named = Object.values(SETTLED_BY).flat()
    expect(named.filter((route) => !routes.has(route.replace('{item}', '{id}')))).toEqual([])
  })
})
