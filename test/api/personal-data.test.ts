import { strFromU8, unzipSync } from 'fflate'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { person } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
let mira: Member
let jonas: Member
beforeAll(async () => {
  shop = await openShop({ worker: false })
  ;[mira, jonas] = [await member('mira'), await member('jonas')]
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const V1 = '/v1/loyalty'
const ok = async (sent: request.Test) => {
  const { status, body } = await sent
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  return body
}
const post = (path: string, body: object) => ok(shop.post(path, body))

type Member = { id: string; merged: string; payment: string; redemption: string }

/** Somebody whose name stands in everything that is kept of them. */
async function member(name: string): Promise<Member> {
  const customer = `cust_${name}`
  const { id } = await post(`${V1}/accounts`, { customer, metadata: { nickname: name } })
  const { id: merged } = await post(`${V1}/accounts`, { metadata: { card: `card of ${name}` } })
  const credit = { amount: 500, reason: `sorry, ${name}`, metadata: { ticket: `of ${name}` } }
  await post(`${V1}/transactions`, { account: id, ...credit })
  await post(`${V1}/transactions`, { account: merged, ...credit })
  await post(`${V1}/accounts/merge`, { source: merged, target: id })
  await post(`${V1}/accounts/${id}/identities`, {
    kind: 'external_id',
    external_id: `ext_${name}`,
    label: `the app of ${name}`,
  })
  await post(`${V1}/accounts/${id}/identities`, {
    kind: 'phone',
    phone: '+4791234567'.replace('7', name === 'mira' ? '8' : '9'),
  })
  const { id: reward } = await post(`${V1}/rewards`, {
    name: 'Bag',
    type: 'free_product',
    cost: 100,
    value: { product: 'Bag' },
  })
  const redemption = await post(`${V1}/redemptions`, {
    account: id,
    reward,
    shipping: {
      name,
      line1: `street of ${name}`,
      city: 'Oslo',
      postalCode: '0150',
      country: 'NO',
    },
    metadata: { note: `for ${name}` },
  })
  const payment = await post('/v1/payments', {
    amount: 5_000,
    currency: 'EUR',
    card: '4242424242424242',
    customer,
    metadata: { order: `of ${name}` },
  })
  return { id, merged, payment: payment.id, redemption: redemption.id }
}

const exported = (id: string, key = shop.keys.secretKey) =>
  request(shop.app).post(`${V1}/accounts/${id}/export`).set('X-Api-Key', key).responseType('blob')

async function filesOf(id: string): Promise<Record<string, string>> {
  const { status, body } = await exported(id)
  expect(status).toBe(200)
  const files = Object.entries(unzipSync(new Uint8Array(body)))
  return Object.fromEntries(files.map(([name, bytes]) => [name, strFromU8(bytes)]))
}

describe('an export', () => {
  it('is a ZIP with a README and all that is kept of the member', async () => {
    const { headers } = await exported(mira.id)
    expect(headers['content-type']).toBe('application/zip')
    expect(headers['content-disposition']).toBe(`attachment; filename=${mira.id}.zip`)

    const files = await filesOf(mira.id)
    const { 'README.txt': readme = '', ...data } = files
    expect(readme).toContain(mira.id)
    expect(readme).toContain(mira.merged)
    for (const name of Object.keys(data)) expect(readme).toContain(name)
    const of = Object.fromEntries(
      Object.entries(data).map(([name, text]) => [name.replace('.json', ''), JSON.parse(text)]),
    )
    expect(of.accounts).toMatchObject([
      { id: mira.id, customer: 'cust_mira', balance: 900, metadata: { nickname: 'mira' } },
      { id: mira.merged, merged_into: mira.id },
    ])
    expect(of.transactions).toHaveLength(5)
    expect(of.transactions[0]).toMatchObject({
      amount: 500,
      reason: 'sorry, mira',
      metadata: { ticket: 'of mira' },
    })
    expect(of.identities).toMatchObject([
      { kind: 'external_id', external_id: 'ext_mira', label: 'the app of mira' },
      { kind: 'phone' },
    ])
    expect(of.identities[1]).not.toHaveProperty('value')
    expect(of.redemptions).toMatchObject([
      {
        id: mira.redemption,
        points: 100,
        fulfillment: { shipping: { name: 'mira' } },
        metadata: { note: 'for mira' },
      },
    ])
    expect(of.payments).toMatchObject([
      { id: mira.payment, customer: 'cust_mira', metadata: { order: 'of mira' } },
    ])
    expect(of.events.map(({ type }: { type: string }) => type)).toContain('loyalty.account.merged')
    expect(of.provider_events).toMatchObject([{ payment: mira.payment, provider: 'sandbox' }])
    expect(of.lots.length).toBeGreaterThan(0)
    expect(of.allocations).toMatchObject([{ amount: 100 }])
  })

  it('has nothing of another member, and neither hashes nor codes', async () => {
    const all = Object.values(await filesOf(mira.id)).join('\n')
    for (const part of ['jonas', ...Object.values(jonas)]) expect(all).not.toContain(part)
    const { rows } = await shop.owner.query(
      `select value from member_identity where workspace = $1 and kind = 'phone'`,
      [shop.workspace],
    )
    expect(rows.length).toBeGreaterThan(1)
    for (const { value } of rows) expect(all).not.toContain(value)
  })

  it('has a payment that somebody else made with the member’s points, and not who that was', async () => {
    const { id } = await post(`${V1}/accounts`, {})
    await post(`${V1}/transactions`, { account: id, amount: 500, reason: 'gift' })
    const { id: reward } = await post(`${V1}/rewards`, {
      name: 'Off',
      type: 'discount_amount',
      cost: 100,
      value: { amount: 100, currency: 'EUR' },
    })
    const redemption = await post(`${V1}/redemptions`, { account: id, reward })
    await post('/v1/payments', {
      amount: 2_000,
      currency: 'EUR',
      customer: 'cust_friend',
      metadata: { order: 'of a friend' },
      redemptions: [redemption.id],
    })
    const files = await filesOf(id)
    expect(JSON.parse(files['payments.json'] ?? '')).toMatchObject([
      { customer: null, metadata: {} },
    ])
  })

  it('of a merged account is that of the one it was merged into', async () => {
    const [survivor, merged] = [await filesOf(mira.id), await filesOf(mira.merged)]
    expect(merged['transactions.json']).toBe(survivor['transactions.json'])
  })

  it('of a member with nothing is empty lists', async () => {
    const { id } = await post(`${V1}/accounts`, {})
    const files = await filesOf(id)
    expect(files['transactions.json']).toBe('[]\n')
    expect(JSON.parse(files['accounts.json'] ?? '')).toHaveLength(1)
  })

  it('of nobody is 404, as JSON', async () => {
    const { status, body } = await shop.post(`${V1}/accounts/${newId('loy')}/export`)
    expect([status, body.error.code]).toEqual([404, 'resource_missing'])
  })

  it('is given to support and to no viewer', async () => {
    const status = async (role: 'support' | 'viewer') => {
      const one = await person(shop, role)
      const answer = await one.send('post', `${V1}/accounts/${mira.id}/export`)
      return answer.status
    }
    expect([await status('support'), await status('viewer')]).toEqual([200, 403])
  })

  it('that cannot be made to its end ends as a broken connection', async () => {
    const { id } = await post(`${V1}/accounts`, {})
    await shop.owner.query('alter table tier_spend rename to tier_spend_away')
    try {
      await expect(exported(id)).rejects.toThrow()
    } finally {
      await shop.owner.query('alter table tier_spend_away rename to tier_spend')
    }
  })
})
