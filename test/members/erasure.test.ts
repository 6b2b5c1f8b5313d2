import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type request from 'supertest'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { certifyErasure, checkErasure, eraseStore } from '../../app/erasures.ts'
import { erasureSeal } from '../../db/ledger.gen.ts'
import { newId } from '../../domain/ids.ts'
import { erasureWorkflowId } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const V1 = '/v1/loyalty'
const ok = async (sent: request.Test) => {
  const { status, body } = await sent
  expect(
    status,
    `${JSON.stringify(body)}${status === 500 ? shop.lines.slice(-4).join('') : ''}`,
  ).toBeLessThan(300)
  return body
}
const post = (path: string, body: object = {}) => ok(shop.post(path, body))
const get = (path: string) => ok(shop.get(path))
const reward = (value: object) => post(`${V1}/rewards`, { name: 'R', cost: 100, ...value })
const OFF = { type: 'discount_amount', value: { amount: 100, currency: 'EUR' } }
const BAG = { type: 'free_product', value: { product: 'Bag' } }

const erase = (id: string) => post(`${V1}/accounts/${id}/erase`)
const completed = (id: string) =>
  vi.waitFor(
    async () => {
      const erasure = await get(`${V1}/accounts/${id}/erasure`)
      expect(erasure.status, JSON.stringify(erasure)).toBe('completed')
      return erasure
    },
    { timeout: 15_000, interval: 50 },
  )

/** Every row of the workspace that has the text anywhere, by table; but for the request that is remembered by its key. */
async function rowsWith(text: string): Promise<Record<string, number>> {
  const { rows: tables } = await shop.owner.query(
    `select table_name as name from information_schema.columns
     where table_schema = 'public' and column_name = 'workspace' and table_name !~ '^request_'
       and table_name <> 'idempotency_key'`,
  )
  const found: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows } = await shop.owner.query(
      `select count(*)::int as n from "${name}" x where workspace = $1 and strpos(to_jsonb(x)::text, $2) > 0`,
      [shop.workspace, text],
    )
    if (rows[0].n > 0) found[name] = rows[0].n
  }
  return found
}

/** Somebody whose name stands in every store that may have one. */
async function memberWithEverything(name: string) {
  const customer = `cust_${name}`
  const { id } = await post(`${V1}/accounts`, { customer, metadata: { nickname: `the ${name}` } })
  const { id: merged } = await post(`${V1}/accounts`, { metadata: { card: `card of ${name}` } })
  const credit = { amount: 500, reason: `sorry, ${name}`, metadata: { ticket: `of ${name}` } }
  const earned = await post(`${V1}/transactions`, { account: id, ...credit })
  await post(`${V1}/transactions`, { account: merged, ...credit })
  await post(`${V1}/accounts/merge`, { source: merged, target: id })
  await post(`${V1}/accounts/${id}/identities`, {
    kind: 'external_id',
    external_id: `ext_${name}`,
    label: `app of ${name}`,
  })
  const type = newId('ety').toUpperCase().replace(/\W/g, '_')
  await post('/v1/event_types', { name: type, schema: { type: 'object' } })
  await post('/v1/reactors', {
    name: 'R',
    trigger: type,
    reactions: [{ type: 'adjust_points', points: 5 }],
  })
  await post('/v1/events', { type, user: `ext_${name}`, payload: { table: `by ${name}` } })
  const bag = await post(`${V1}/redemptions`, {
    account: id,
    reward: (await reward(BAG)).id,
    shipping: { name, line1: `${name} street`, city: 'Oslo', postalCode: '0150', country: 'NO' },
    metadata: { note: `for ${name}` },
  })
  const off = await post(`${V1}/redemptions`, { account: id, reward: (await reward(OFF)).id })
  const payment = await post('/v1/payments', {
    amount: 5_000,
    currency: 'EUR',
    card: '4242424242424242',
    customer,
    metadata: { order: `of ${name}` },
    redemptions: [off.id],
  })
  await post('/v1/refunds', {
    payment: payment.id,
    amount: 100,
    reason: `${name} asked`,
    metadata: { by: name },
  })
  return { id, merged, customer, payment: payment.id, bag: bag.id, earned: earned.id }
}

describe('the erasure of a member', () => {
  it('waits for what is to be shipped, removes every name from every table, and keeps every amount', async () => {
    const name = `zzmira${Date.now()}`
    const member = await memberWithEverything(name)
    const stranger = await post(`${V1}/accounts`, { customer: `other_${Date.now()}` })
    const before = await get(`${V1}/accounts/${member.id}`)
    const liability = await get(`${V1}/programs/prog_default/liability`)
    expect(Object.keys(await rowsWith(name)).sort()).toEqual(
      expect.arrayContaining(['account', 'event', 'payment', 'ptx', 'redemption']),
    )

    const asked = await erase(member.id)
    expect(asked).toMatchObject({ object: 'erasure', account: member.id, completed_at: null })
    await vi.waitFor(async () => {
      const waiting = await get(`${V1}/accounts/${member.id}/erasure`)
      expect(waiting).toMatchObject({
        status: 'waiting',
        waits_for: [{ object: member.bag, status: 'fulfillment_pending' }],
      })
    }, 10_000)
    expect((await get(`${V1}/accounts/${member.id}`)).status).toBe('closed')

    await post(`${V1}/redemptions/${member.bag}/fulfill`, {
      tracking: `${name}-1`,
      carrier: 'Post',
    })
    await erase(member.id) // looks at once
    const certificate = await completed(member.id)
    expect(certificate).toMatchObject({ search: { found: 0 }, shared_payments: [], waits_for: [] })
    const rows = Object.fromEntries(
      certificate.stores.map((one: { store: string; rows: number }) => [one.store, one.rows]),
    )
    expect(rows).toMatchObject({
      accounts: 2,
      identities: 1,
      redemptions: 1,
      payments: 1,
      refunds: 1,
      reported_events: 1,
    })
    for (const store of ['transactions', 'events', 'inbox']) expect(rows[store]).toBeGreaterThan(0)

    expect(await rowsWith(name)).toEqual({})
    const after = await get(`${V1}/accounts/${member.id}`)
    expect(after).toMatchObject({ status: 'closed', customer: null, metadata: {} })
    expect([after.balance, after.lifetime_points]).toEqual([before.balance, before.lifetime_points])
    expect(await get(`${V1}/programs/prog_default/liability`)).toMatchObject({
      outstandingPoints: liability.outstandingPoints,
      liabilityMinor: liability.liabilityMinor,
    })
    expect(await get(`${V1}/transactions/${member.earned}`)).toMatchObject({
      amount: 500,
      reason: 'erased',
      metadata: {},
    })
    expect(await get(`${V1}/accounts/${stranger.id}`)).toMatchObject({
      customer: stranger.customer,
    })
    expect((await get('/v1/events?limit=100')).data.length).toBeGreaterThan(5)
    expect((await get(`${V1}/accounts/${member.id}/timeline`)).data.length).toBeGreaterThan(3)
    expect(await shop.reconcile()).toEqual([])
  })

  it('is said in the Temporal UI: what it waits for, and what became of it', async () => {
    const { id } = await post(`${V1}/accounts`, {})
    await post(`${V1}/transactions`, { account: id, amount: 500, reason: 'gift' })
    const off = await post(`${V1}/redemptions`, { account: id, reward: (await reward(OFF)).id })
    await erase(id)
    const handle = shop.engine.client.workflow.getHandle(erasureWorkflowId(shop.workspace, id))
    await vi.waitFor(async () => {
      expect((await get(`${V1}/accounts/${id}/erasure`)).waits_for).toEqual([
        { object: off.id, status: 'pending' },
      ])
    }, 10_000)
    await post(`${V1}/redemptions/${off.id}/cancel`)
    await erase(id)
    await completed(id)
    expect(await handle.result()).toMatchObject({ story: expect.stringContaining('found nothing') })
  })

  it('leaves the payments of a customer who has an account in another program, until that is erased too', async () => {
    const customer = newId('op')
    const { id: other } = await post(`${V1}/programs`, { name: 'Other' })
    const one = await post(`${V1}/accounts`, { customer })
    const two = await post(`${V1}/accounts`, { customer, program: other })
    const body = { amount: 2_000, currency: 'EUR', card: '4242424242424242', customer }
    const { id: payment } = await post('/v1/payments', body)
    await erase(one.id)
    expect(await completed(one.id)).toMatchObject({ shared_payments: [payment] })
    expect((await get(`/v1/payments/${payment}`)).customer).toBe(customer)
    expect((await get(`${V1}/accounts/${two.id}`)).customer).toBe(customer)
    await erase(two.id)
    expect(await completed(two.id)).toMatchObject({ shared_payments: [] })
    expect((await get(`/v1/payments/${payment}`)).customer).toBeNull()
    expect(await rowsWith(customer)).toEqual({})
  })

  it('removes what receivers of webhooks answered about the member', async () => {
    const name = newId('op')
    const receiver = createServer((_req, res) => res.end(`thanks, ${name}`))
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    const { port } = receiver.address() as AddressInfo
    const endpoint = await post('/v1/webhook_endpoints', { url: `http://127.0.0.1:${port}/` })
    const { id } = await post(`${V1}/accounts`, {})
    await post(`${V1}/transactions`, { account: id, amount: 5, reason: 'gift' })
    await vi.waitFor(async () => {
      expect((await rowsWith(name)).webhook_delivery).toBe(2)
    }, 15_000)
    await ok(shop.delete(`/v1/webhook_endpoints/${endpoint.id}`))
    await erase(id)
    await completed(id)
    expect(await rowsWith(name)).toEqual({})
    receiver.close()
  })

  it('holds: nothing names the member again, whatever is asked of the account or said of a payment', async () => {
    const customer = newId('op')
    const { id } = await post(`${V1}/accounts`, { customer })
    const payment = `pay_${newId('op').slice(3)}`
    const event = (type: string) => ({
      id: `evt_${newId('op')}`,
      type,
      data: { id: payment, amount: 900, currency: 'EUR', customer, metadata: { order: customer } },
    })
    const first = event('payment.completed')
    await ok(shop.webhook(first))
    await erase(id)
    await completed(id)
    expect(await rowsWith(customer)).toEqual({})

    await ok(shop.webhook(event('payment.completed')))
    expect((await ok(shop.webhook(first))).received).toBe(true)
    expect(await rowsWith(customer)).toEqual({})

    const target = await post(`${V1}/accounts`, {})
    const refusals = [
      shop.patch(`${V1}/accounts/${id}`, { customer }),
      shop.post(`${V1}/accounts/${id}/reopen`),
      shop.post(`${V1}/accounts/merge`, { source: id, target: target.id }),
      shop.post(`${V1}/accounts/merge`, { source: target.id, target: id }),
      shop.post(`${V1}/accounts/${id}/identities`, { kind: 'device' }),
      shop.post(`${V1}/transactions`, { account: id, amount: 5, reason: 'x' }),
    ]
    for (const { status, body } of await Promise.all(refusals)) {
      expect([status, body.error?.code]).toEqual([422, 'account_closed'])
    }
    // the customer may come again, as somebody new
    const again = await post(`${V1}/accounts`, { customer })
    expect(again.balance).toBe(0)
  })

  it('asked for again after its end is done once more, for what was written since', async () => {
    const { id } = await post(`${V1}/accounts`, {})
    const { id: credit } = await post(`${V1}/transactions`, {
      account: id,
      amount: 5,
      reason: 'gift',
    })
    await erase(id)
    const first = await completed(id)
    await post(`${V1}/transactions/${credit}/reverse`, { reason: 'Ola Nordmann asked' })
    await erase(id)
    const second = await vi.waitFor(async () => {
      const erasure = await completed(id)
      expect(erasure.completed_at).not.toBe(first.completed_at)
      return erasure
    }, 10_000)
    expect(second.search.found).toBe(0)
    expect(await rowsWith('Ola Nordmann')).toEqual({})
  })

  it('of a merged account is refused and names the survivor, whose erasure it shows', async () => {
    const { id: source } = await post(`${V1}/accounts`, {})
    const { id: target } = await post(`${V1}/accounts`, {})
    await post(`${V1}/accounts/merge`, { source, target })
    const { status, body } = await shop.post(`${V1}/accounts/${source}/erase`)
    expect([status, body.error.code, body.error.resource]).toEqual([422, 'account_merged', target])
    expect((await shop.get(`${V1}/accounts/${source}/erasure`)).status).toBe(404)
    await erase(target)
    await completed(target)
    expect((await get(`${V1}/accounts/${source}/erasure`)).account).toBe(target)
  })
})

describe('an erasure that was stopped between two stores', () => {
  it('goes on with what is left, and counts nothing twice', async () => {
    const still = await openShop({ worker: false })
    const { pool, workspace } = still
    const send = async (path: string, body: object = {}) => (await still.post(path, body)).body
    const customer = newId('op')
    const { id } = await send(`${V1}/accounts`, { customer })
    for (const amount of [5, 6, 7]) {
      await send(`${V1}/transactions`, { account: id, amount, reason: `for ${customer}` })
    }
    await send(`${V1}/accounts/${id}/erase`)
    const which = { workspace, account: id }
    expect(await checkErasure(pool, which)).toEqual([])
    await eraseStore(pool, { ...which, store: 'identities' }, () => {})
    const at = new Date()
    await erasureSeal(pool, { ...which, store: 'transactions', limit: 2, at })
    expect((await still.get(`${V1}/accounts/${id}/erasure`)).body).toMatchObject({
      status: 'erasing',
      search: null,
    })
    const { accounts, transactions } = await certifyErasure(pool, which)
    expect([accounts, transactions]).toEqual([1, 1])

    const { stop } = await still.startWorker()
    const certificate = await vi.waitFor(
      async () => {
        const { body } = await still.get(`${V1}/accounts/${id}/erasure`)
        expect(body.status).toBe('completed')
        return body
      },
      { timeout: 20_000, interval: 100 },
    )
    expect(certificate.stores).toContainEqual({ store: 'transactions', rows: 3 })
    expect(certificate.stores).toContainEqual({ store: 'accounts', rows: 1 })
    await stop()
    expect(await still.reconcile()).toEqual([])
    await still.close()
  })
})

it('what is appended only keeps every amount, also while something is erased', async () => {
  const client = await shop.owner.connect()
  await client.query('begin')
  try {
    await client.query(`set local vinr.erasing = 'on'`)
    for (const statement of [
      'update ptx set amount = 1',
      'update ptx set account = id',
      'delete from ptx',
      'update reported_event set points = 1',
    ]) {
      await client.query('savepoint before')
      await expect(client.query(statement)).rejects.toThrow(/append-only/)
      await client.query('rollback to before')
    }
  } finally {
    await client.query('rollback')
    client.release()
  }
})
