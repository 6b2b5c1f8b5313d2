import type { Response } from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { advanceApproval } from '../../app/approvals.ts'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import { type Person, person } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
let owner: Person
let marketing: Person
let support: Person
beforeAll(async () => {
  shop = await openShop()
  owner = await person(shop, 'owner')
  marketing = await person(shop, 'marketing')
  support = await person(shop, 'support')
})
afterAll(() => shop.close())

const V1 = '/v1/loyalty'
const refusal = ({ status, body }: Response) => [status, body.error?.code]
const member = async (): Promise<string> => (await shop.post(`${V1}/accounts`)).body.id
const balance = async (account: string): Promise<number> =>
  (await shop.get(`${V1}/accounts/${account}`)).body.balance
const settle = (who: Person, id: string, verb: string, body: object = {}) =>
  who.send('post', `/v1/approvals/${id}/${verb}`, body)
const read = async (id: string) => (await shop.get(`/v1/approvals/${id}`)).body
const until = (id: string, status: string) =>
  expect.poll(async () => (await read(id)).status, { timeout: 30_000 }).toBe(status)
const fileOf = (account: string, rows: number) =>
  Array.from(
    { length: rows },
    (_, row) => `${JSON.stringify({ account, amount: 2, key: `${row}` })}\n`,
  ).join('')
const upload = (file: string, key = newId('op')) =>
  marketing
    .send('post', `${V1}/imports`)
    .set('Idempotency-Key', key)
    .type('application/x-ndjson')
    .send(file)

describe('the limits of a role', () => {
  const set = async (settings: object) =>
    expect((await owner.send('put', '/v1/settings', settings)).status).toBe(200)
  afterAll(() =>
    set({
      'approvals.marketing.rows': null,
      'approvals.marketing.reversals': null,
      'approvals.hours': null,
    }),
  )

  it('are as its settings say: rows of an import, reversals, and hours to answer', async () => {
    const account = await member()
    await set({ 'approvals.marketing.rows': 2, 'approvals.hours': 5 })
    expect((await upload(fileOf(account, 2))).status).toBe(201)
    const { status, body } = await upload(fileOf(account, 3))
    expect([status, body.limit]).toEqual([202, 2])
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBe(5 * 3_600_000)
    await set({ 'approvals.marketing.rows': false })
    expect((await upload(fileOf(account, 1_001))).status).toBe(201)

    const batch = newId('op')
    const movement = { account, amount: 10, reason: 'test', metadata: { batch } }
    await shop.post(`${V1}/transactions`, movement)
    await set({ 'approvals.marketing.reversals': false })
    const reversed = await marketing.send('post', `${V1}/batches/${batch}/reverse`)
    expect([reversed.status, reversed.body.object]).toEqual([201, 'batch_reversal'])
  })
})

describe('an import above the limit', () => {
  it('waits with its rows, checked, until it is approved, and is done once they are written', async () => {
    const account = await member()
    const key = newId('op')
    const asked = await upload(fileOf(account, 1_001), key)
    expect([asked.status, asked.body.kind, asked.body.limit]).toEqual([202, 'import', 1_000])
    const effect = { points: 2_002, credited: 2_002, debited: 0, accounts: 1, rows: 1_001 }
    expect(asked.body.effect).toEqual(effect)
    const repeat = await upload(fileOf(account, 1_001), key)
    expect([repeat.status, repeat.body]).toEqual([202, asked.body])
    expect(refusal(await upload(fileOf(account, 1_002), key))).toEqual([
      409,
      'idempotency_key_reused',
    ])
    const { data } = (await shop.get(`${V1}/imports?limit=1`)).body
    expect([data[0].status, data[0].posted]).toEqual(['waiting', 0])
    expect(refusal(await settle(marketing, asked.body.id, 'approve'))).toEqual([
      403,
      'role_not_allowed',
    ])
    const approved = await settle(owner, asked.body.id, 'approve')
    expect([approved.body.status, approved.body.result]).toEqual(['approved', data[0].id])
    await until(asked.body.id, 'done')
    expect(await balance(account)).toBe(2_002)
    const done = await upload(fileOf(account, 1_001), key)
    expect([done.status, done.body.id, done.body.status]).toEqual([200, data[0].id, 'completed'])
  })

  it('drops its rows where it is declined, and goes through where it has a thousand', async () => {
    const account = await member()
    expect((await upload(fileOf(account, 1_000))).status).toBe(201)
    const { body } = await upload(fileOf(account, 1_500))
    await settle(owner, body.id, 'decline')
    const { data } = (await shop.get(`${V1}/imports?limit=1`)).body
    expect([data[0].status, data[0].total]).toEqual(['canceled', 1_500])
    const { rows } = await shop.owner.query(
      `select count(*)::int as n from bulk_chunk where bulk = $1 and rows <> '[]'`,
      [data[0].id],
    )
    expect(rows[0].n).toBe(0)
  })
})

describe('the reversal of a batch', () => {
  const tagged = async () => {
    const batch = newId('op')
    const account = await member()
    const row = { account, amount: 10, reason: 'promo', metadata: { batch } }
    await shop.post(`${V1}/transactions`, row)
    await shop.post(`${V1}/transactions`, { ...row, amount: 5 })
    return { account, batch, row }
  }

  it('waits whoever asks, and reverses what was shown', async () => {
    const { account, batch } = await tagged()
    const key = newId('op')
    const ask = () =>
      marketing.send('post', `${V1}/batches/${batch}/reverse`, {}).set('Idempotency-Key', key)
    const { status, body } = await ask()
    const effect = { points: 15, credited: 0, debited: 15, accounts: 1, rows: 2 }
    expect([status, body.kind, body.batch, body.effect]).toEqual([
      202,
      'batch_reversal',
      batch,
      effect,
    ])
    await settle(owner, body.id, 'approve')
    await until(body.id, 'done')
    expect(await balance(account)).toBe(0)
    const done = await ask()
    expect([done.status, done.body.object, done.body.status]).toEqual([
      200,
      'batch_reversal',
      'completed',
    ])
  })

  it('is not approved once the batch has other rows', async () => {
    const { batch, row, account } = await tagged()
    const { body } = await marketing.send('post', `${V1}/batches/${batch}/reverse`, {})
    await shop.post(`${V1}/transactions`, row)
    expect(refusal(await settle(owner, body.id, 'approve'))).toEqual([409, 'resource_changed'])
    expect(await balance(account)).toBe(25)
  })
})

describe('an owner whom nobody else can answer', () => {
  it('confirms it alone after a minute by its number, and the approval says so', async () => {
    const { createWorkspace } = workspaceCommands({ pool: shop.pool })
    const workspace = newId('ws')
    const { secretKey: key } = await createWorkspace(workspace, 'One person', false)
    const alone = await person(shop, 'owner', workspace)
    const { body: account } = await shop.post(`${V1}/accounts`, {}, { key })
    const row = { account: account.id, amount: 7, reason: 'promo', metadata: { batch: 'B' } }
    await shop.post(`${V1}/transactions`, row, { key })
    const { body } = await alone.send('post', `${V1}/batches/B/reverse`, {})
    const early = await settle(alone, body.id, 'approve', { number: 1 })
    expect([...refusal(early), early.body.error.alone_from]).toEqual([
      409,
      'approver_is_asker',
      expect.any(String),
    ])
    await shop.owner.query(
      `update approval set created_at = created_at - interval '2 minutes' where id = $1`,
      [body.id],
    )
    expect(refusal(await settle(alone, body.id, 'approve', { number: 7 }))).toEqual([
      400,
      'parameter_invalid',
    ])
    const other = await person(shop, 'admin', workspace)
    expect(refusal(await settle(alone, body.id, 'approve', { number: 1 }))).toEqual([
      409,
      'approver_is_asker',
    ])
    await alone.send('delete', `/v1/memberships/${other.membership}`)
    const confirmed = await settle(alone, body.id, 'approve', { number: 1 })
    expect(confirmed.body).toMatchObject({
      status: 'approved',
      confirmed_alone: true,
      settled_by: { id: alone.id },
    })
  })
})

describe('an approval that nobody answers', () => {
  const asked = async () => {
    const body = { account: await member(), amount: 5_001, reason: 'goodwill' }
    return (await support.send('post', `${V1}/transactions`, body)).body.id as string
  }
  const later = (id: string, hours: number) =>
    shop.owner.query(
      `update approval set reminds_at = reminds_at - make_interval(hours => $2),
        expires_at = expires_at - make_interval(hours => $2) where id = $1`,
      [id, hours],
    )
  const advance = (id: string, ms = 0) => {
    const at = new Date(Date.now() + ms).toISOString()
    return advanceApproval(shop.pool, { workspace: shop.workspace, id, at })
  }
  const attention = async (id: string, query = '') => {
    const { body } = await shop.get(`/v1/attention?kind=approval_waiting&limit=100${query}`)
    return body.data.find(({ object_id }: { object_id: string }) => object_id === id)
  }

  it('reminds once, half-way, by an event and as what needs a person, until it is answered', async () => {
    const id = await asked()
    expect(await advance(id)).toMatchObject({ status: 'pending', remindsAt: expect.any(String) })
    await later(id, 37)
    await advance(id)
    expect(await advance(id)).toMatchObject({ status: 'pending', remindsAt: null })
    const { body } = await shop.get('/v1/events?type=approval.reminder&limit=100')
    const reminders = body.data.filter(({ data }: { data: { id: string } }) => data.id === id)
    expect(reminders).toHaveLength(1)
    expect(reminders[0].data).toMatchObject({ object: 'approval', reason: null })
    expect((await attention(id)).settled_by).toEqual([
      `POST /v1/approvals/${id}/approve`,
      `POST /v1/approvals/${id}/decline`,
    ])
    await settle(owner, id, 'decline')
    expect((await attention(id, '&status=settled')).object_id).toBe(id)
  })

  it('expires at its end, and not by a clock that is far ahead', async () => {
    const id = await asked()
    expect(await advance(id, 100 * 3_600_000)).toMatchObject({ status: 'pending' })
    await later(id, 73)
    expect(refusal(await settle(owner, id, 'approve'))).toEqual([409, 'approval_already_settled'])
    expect(await advance(id)).toMatchObject({ status: 'expired' })
    expect(refusal(await settle(owner, id, 'approve'))).toEqual([409, 'approval_already_settled'])
  })
})
