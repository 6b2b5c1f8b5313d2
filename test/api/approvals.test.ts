import type { Response } from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import type { Role } from '../../domain/roles.ts'
import { type Person, person } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
let owner: Person
let admin: Person
let support: Person
let marketing: Person
beforeAll(async () => {
  shop = await openShop()
  const people = (['owner', 'admin', 'support', 'marketing'] as Role[]).map((role) =>
    person(shop, role),
  )
  ;[owner, admin, support, marketing] = (await Promise.all(people)) as [
    Person,
    Person,
    Person,
    Person,
  ]
})
afterAll(() => shop.close())

const PATH = '/v1/loyalty/transactions'
const refusal = ({ status, body }: Response) => [status, body.error?.code]
const member = async (): Promise<string> => (await shop.post('/v1/loyalty/accounts')).body.id
const balance = async (account: string): Promise<number> =>
  (await shop.get(`/v1/loyalty/accounts/${account}`)).body.balance
const adjustment = (account: string, amount: number) => ({ account, amount, reason: 'goodwill' })
const ask = (who: Person, account: string, amount: number, key = newId('op')) =>
  who.send('post', PATH, adjustment(account, amount)).set('Idempotency-Key', key)
const settle = (who: Person, id: string, verb: string, body: object = {}) =>
  who.send('post', `/v1/approvals/${id}/${verb}`, body)
const read = async (id: string) => (await shop.get(`/v1/approvals/${id}`)).body
const pending = async (who = support, amount = 5_001) => {
  const account = await member()
  const { status, body } = await ask(who, account, amount)
  expect(status).toBe(202)
  return { account, id: body.id as string }
}
const madeKey = async (scopes: string[], who: Person = owner) =>
  (await who.send('post', '/v1/api_keys', { scopes })).body
const details = async (id: string) =>
  (await shop.engine.client.workflow.getHandle(id).describe()).status.name

describe('an adjustment above the limit of a role', () => {
  it('waits, with what it would do, until another person approves it', async () => {
    const account = await member()
    const key = newId('op')
    const asked = await ask(support, account, 5_001, key)
    expect(asked.status).toBe(202)
    expect(asked.body).toMatchObject({
      object: 'approval',
      kind: 'adjustment',
      status: 'pending',
      account,
      reason: 'goodwill',
      effect: { points: 5_001, credited: 5_001, debited: 0, accounts: 1, rows: 1 },
      limit: 5_000,
      requested_by: { type: 'user', id: support.id, name: 'support' },
      settled_by: null,
    })
    expect(await balance(account)).toBe(0)
    const waits = await ask(support, account, 5_001, key)
    expect([waits.status, waits.body.id]).toEqual([202, asked.body.id])
    const other = await ask(support, account, 5_002, key)
    expect(refusal(other)).toEqual([409, 'idempotency_key_reused'])

    const approved = await settle(admin, asked.body.id, 'approve', { note: 'as agreed' })
    expect(approved.status).toBe(200)
    expect(approved.body).toMatchObject({
      status: 'done',
      note: 'as agreed',
      settled_by: { type: 'user', id: admin.id },
      confirmed_alone: false,
    })
    expect(await balance(account)).toBe(5_001)
    const done = await ask(support, account, 5_001, key)
    expect([done.status, done.body.id]).toEqual([200, approved.body.result])
    expect(refusal(await settle(owner, asked.body.id, 'approve'))).toEqual([
      409,
      'approval_already_settled',
    ])
    expect(await balance(account)).toBe(5_001)
  })

  it('is done at once up to the limit, by a role without one, and by a key', async () => {
    const account = await member()
    const asks = [
      await ask(support, account, 5_000),
      await ask(marketing, account, 20_000),
      await ask(admin, account, 50_000),
      await shop.post(PATH, adjustment(account, 50_000)),
    ]
    expect(asks.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    expect((await ask(marketing, account, -20_001)).status).toBe(202)
  })

  it('counts a batch by its sum, credits and debits alike', async () => {
    const [one, two] = [await member(), await member()]
    await shop.post(PATH, adjustment(two, 3_000))
    const transactions = [adjustment(one, 2_501), adjustment(two, -2_500)]
    const { status, body } = await support.send('post', `${PATH}/batch`, { transactions })
    expect(status).toBe(202)
    const effect = { points: 5_001, credited: 2_501, debited: 2_500, accounts: 2, rows: 2 }
    expect(body).toMatchObject({ account: null, reason: null, effect })
    expect((await settle(owner, body.id, 'approve')).body.status).toBe('done')
    expect(await Promise.all([one, two].map(balance))).toEqual([2_501, 500])
  })

  it('is done once however many approve it at the same time', async () => {
    const { account, id } = await pending()
    const answers = await Promise.all(
      [owner, admin, owner, admin].map((who) => settle(who, id, 'approve')),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 409, 409, 409,
    ])
    expect(await balance(account)).toBe(5_001)
  })

  it('does nothing once it is declined or withdrawn, which a repeat is told', async () => {
    const account = await member()
    const key = newId('op')
    const { body } = await ask(support, account, 6_000, key)
    expect((await settle(admin, body.id, 'decline', { note: 'no' })).body.status).toBe('declined')
    const repeat = await ask(support, account, 6_000, key)
    expect([repeat.status, repeat.body.status, repeat.body.note]).toEqual([202, 'declined', 'no'])
    const second = await pending()
    expect(refusal(await settle(admin, second.id, 'withdraw'))).toEqual([403, 'role_not_allowed'])
    expect((await settle(support, second.id, 'withdraw')).body.status).toBe('withdrawn')
    expect(refusal(await settle(admin, second.id, 'approve'))).toEqual([
      409,
      'approval_already_settled',
    ])
    expect(await Promise.all([account, second.account].map(balance))).toEqual([0, 0])
  })

  it('is refused as it was shown no longer, or as the ledger refuses it, and waits on', async () => {
    const account = await member()
    await shop.post(PATH, adjustment(account, 6_000))
    const { body } = await ask(support, account, -6_000)
    await shop.post(PATH, adjustment(account, -1))
    const short = await settle(admin, body.id, 'approve')
    expect(refusal(short)).toEqual([422, 'insufficient_points'])
    expect((await read(body.id)).status).toBe('pending')
    await shop.post(PATH, adjustment(account, 1))
    expect((await settle(admin, body.id, 'approve')).body.status).toBe('done')
    expect(await balance(account)).toBe(0)

    const merged = await pending()
    const target = await member()
    await shop.post('/v1/loyalty/accounts/merge', { source: merged.account, target })
    expect(refusal(await settle(admin, merged.id, 'approve'))).toEqual([409, 'resource_changed'])
    expect(await balance(target)).toBe(0)
  })
})

describe('who approves', () => {
  it('has the right to, and is another than who asked', async () => {
    const { id } = await pending()
    expect(refusal(await settle(marketing, id, 'approve'))).toEqual([403, 'role_not_allowed'])
    const limits = { 'approvals.admin.points': 10 }
    expect((await owner.send('put', '/v1/settings', limits)).status).toBe(200)
    const own = await pending(admin, 11)
    const key = await madeKey(['*'], owner)
    const ofAdmin = await madeKey(['approvals:read', 'approvals:write'], admin)
    const by = (secret: string, verb: string) =>
      shop.post(`/v1/approvals/${own.id}/${verb}`, {}, { key: secret })
    expect(refusal(await settle(admin, own.id, 'approve'))).toEqual([409, 'approver_is_asker'])
    expect(refusal(await settle(admin, own.id, 'decline'))).toEqual([409, 'approver_is_asker'])
    expect(refusal(await by(ofAdmin.secret, 'approve'))).toEqual([409, 'approver_is_asker'])
    expect((await by(key.secret, 'approve')).body.status).toBe('done')
    await owner.send('put', '/v1/settings', { 'approvals.admin.points': null })
  })

  it('may not have lost it meanwhile, nor may who asked', async () => {
    const asker = await person(shop, 'support')
    const approver = await person(shop, 'admin')
    const { account, id } = await pending(asker)
    const role = (who: Person, to: Role) =>
      owner.send('patch', `/v1/memberships/${who.membership}`, { role: to })
    await role(approver, 'viewer')
    expect(refusal(await settle(approver, id, 'approve'))).toEqual([403, 'role_not_allowed'])
    await role(asker, 'viewer')
    expect(refusal(await settle(admin, id, 'approve'))).toEqual([409, 'resource_changed'])
    await role(asker, 'finance')
    expect((await settle(admin, id, 'approve')).body.status).toBe('done')
    expect(await balance(account)).toBe(5_001)
  })
})

describe('the limits', () => {
  it('are settings, of those who may approve, and nobody changes their own', async () => {
    const set = (who: Person, change: object) => who.send('put', '/v1/settings', change)
    expect(refusal(await set(support, { 'approvals.support.points': false }))).toEqual([
      403,
      'role_not_allowed',
    ])
    const own = await set(admin, { 'approvals.admin.points': 9 })
    expect([...refusal(own), own.body.error.param]).toEqual([
      403,
      'role_not_allowed',
      'approvals.admin.points',
    ])
    const wrong = { 'approvals.nobody.points': 1 }
    expect(refusal(await set(admin, wrong))).toEqual([400, 'parameter_invalid'])
    expect(refusal(await set(admin, { 'approvals.support.points': -1 }))[0]).toBe(400)
    await set(admin, { 'approvals.support.points': false })
    expect((await ask(support, await member(), 100_000)).status).toBe(201)
    await set(admin, { 'approvals.support.points': null })
    expect((await ask(support, await member(), 100_000)).status).toBe(202)
  })

  it('are none of a key unless a setting says so, which it does not change itself', async () => {
    const key = await madeKey(['*'], owner)
    const account = await member()
    const send = (path: string, body: object) => shop.post(path, body, { key: key.secret })
    const limit = { [`approvals.${key.id}.points`]: 100 }
    expect((await send(PATH, adjustment(account, 101))).status).toBe(201)
    await admin.send('put', '/v1/settings', limit)
    const { status, body } = await send(PATH, adjustment(account, 101))
    expect([status, body.requested_by]).toEqual([202, { type: 'api_key', id: key.id, name: null }])
    const made = await shop.post('/v1/api_keys', { scopes: ['*'] }, { key: key.secret })
    const byMade = await shop.post(PATH, adjustment(account, 101), { key: made.body.secret })
    expect([byMade.status, byMade.body.limit]).toEqual([202, 100])
    const lifted = await shop.put(
      '/v1/settings',
      { [`approvals.${key.id}.points`]: false },
      key.secret,
    )
    expect(refusal(lifted)).toEqual([403, 'key_not_allowed'])
    expect(refusal(await settle(owner, body.id, 'approve'))).toEqual([409, 'approver_is_asker'])
    expect((await settle(admin, body.id, 'approve')).body.status).toBe('done')
  })
})

describe('its run', () => {
  it('is found by its id, and ends with what became of it', async () => {
    const { id } = await pending()
    await expect.poll(() => details(id).catch(() => ''), { timeout: 20_000 }).toBe('RUNNING')
    await settle(admin, id, 'approve')
    await expect.poll(() => details(id), { timeout: 20_000 }).toBe('COMPLETED')
  })
})
