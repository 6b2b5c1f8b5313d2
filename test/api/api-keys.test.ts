import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CallerUses } from '../../app/caller-uses.ts'
import { newApiKey } from '../../domain/secrets.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

const make = async (body: object, key?: string) => {
  const { status, body: made } = await shop.post('/v1/api_keys', body, { key })
  expect(status, JSON.stringify(made)).toBe(201)
  return made
}
const opens = async (key: string) => (await shop.get('/v1/loyalty/rewards', key)).status
const refusal = ({
  status,
  body,
}: {
  status: number
  body: { error: Record<string, unknown> }
}) => [status, body.error.code, body.error.scope ?? body.error.param]

describe('an API key', () => {
  it('is made with its secret, which is shown once, and opens what its scopes name', async () => {
    const made = await make({ name: 'Till 3', scopes: ['rewards:read'] })
    expect(made).toMatchObject({
      object: 'api_key',
      name: 'Till 3',
      type: 'secret',
      scopes: ['rewards:read'],
      status: 'active',
      created_by: { type: 'api_key', name: null },
      last_used_at: null,
      expires_at: null,
      livemode: false,
    })
    expect(made.secret).toMatch(/^sk_test_/)
    expect(made.secret.startsWith(made.prefix)).toBe(true)
    expect(made.secret.endsWith(made.last4)).toBe(true)
    const { secret, ...shown } = made
    expect((await shop.get(`/v1/api_keys/${made.id}`)).body).toEqual(shown)
    const { body } = await shop.get('/v1/api_keys?limit=1')
    expect(body.data).toEqual([shown])
    expect(await opens(secret)).toBe(200)
    expect(refusal(await shop.get('/v1/loyalty/accounts', secret))).toEqual([
      403,
      'key_not_allowed',
      'accounts:read',
    ])
    const { rows } = await shop.owner.query('select * from api_key where id = $1', [made.id])
    expect(JSON.stringify(rows)).not.toContain(secret)
  })

  it('that was made before there were scopes may do everything, and is listed', async () => {
    const { body } = await shop.get('/v1/api_keys?type=secret&limit=100')
    const [first] = body.data.slice(-1)
    expect(first).toMatchObject({ scopes: ['*'], created_by: null, name: null })
    expect(shop.keys.secretKey.startsWith(first.prefix)).toBe(true)
  })

  it('that is publishable has no scopes, and can be given none', async () => {
    const made = await make({ type: 'publishable', name: 'Shop page' })
    expect([made.type, made.scopes, made.secret.slice(0, 8)]).toEqual([
      'publishable',
      [],
      'pk_test_',
    ])
    expect(await opens(made.secret)).toBe(200)
    const update = await shop.patch(`/v1/api_keys/${made.id}`, { scopes: ['*'] })
    expect(refusal(update)).toEqual([400, 'parameter_invalid', 'scopes'])
  })

  it.each([
    ['a secret key without scopes', {}, 'scopes', 'parameter_missing'],
    ['a publishable one with some', { type: 'publishable', scopes: ['*'] }, 'scopes'],
    ['a scope that does not exist', { scopes: ['nothing:read'] }, 'scopes'],
    ['none at all', { scopes: [] }, 'scopes'],
    ['one twice', { scopes: ['rewards:read', 'rewards:read'] }, 'scopes'],
    ['everything and more', { scopes: ['*', 'rewards:read'] }, 'scopes'],
    ['an end in the past', { scopes: ['*'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  ])('is refused with %s', async (_title, body, param, expected = 'parameter_invalid') => {
    const [status, code, named] = refusal(await shop.post('/v1/api_keys', body))
    expect([status, code, String(named).split(/[[.]/)[0]]).toEqual([400, expected, param])
  })

  it('shows its secret to the request that made it, and not to a repeat', async () => {
    const send = () =>
      shop.post('/v1/api_keys', { scopes: ['*'] }, { idempotencyKey: 'the same key' })
    const [first, again] = [await send(), await send()]
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.body).toEqual({ ...first.body, secret: null })
  })

  it('is renamed and given other scopes, which count at the next request', async () => {
    const made = await make({ scopes: ['rewards:read'] })
    expect(await opens(made.secret)).toBe(200)
    const change = { name: 'Narrow', scopes: ['accounts:read'] }
    const { body } = await shop.patch(`/v1/api_keys/${made.id}`, change)
    expect(body).toMatchObject(change)
    expect(await opens(made.secret)).toBe(403)
    expect((await shop.get('/v1/loyalty/accounts', made.secret)).status).toBe(200)
  })

  it('is rolled: both secrets are taken while the overlap lasts, and of two rolls only the last two', async () => {
    const made = await make({ scopes: ['*'] })
    const roll = async (hours: number) =>
      (await shop.post(`/v1/api_keys/${made.id}/roll`, { overlap_hours: hours })).body
    const second = await roll(1)
    expect(second.id).toBe(made.id)
    expect(Date.parse(second.previous_secret_expires_at)).toBeGreaterThan(Date.now() + 3_500_000)
    expect([await opens(made.secret), await opens(second.secret)]).toEqual([200, 200])
    const third = await roll(1)
    expect(await Promise.all([made.secret, second.secret, third.secret].map(opens))).toEqual([
      401, 200, 200,
    ])
    const last = await roll(0)
    expect(last.previous_secret_expires_at).toBeNull()
    expect(await Promise.all([third.secret, last.secret].map(opens))).toEqual([401, 200])
  })

  it('is revoked for good, with the secret before its roll', async () => {
    const made = await make({ scopes: ['*'] })
    const { body: rolled } = await shop.post(`/v1/api_keys/${made.id}/roll`, { overlap_hours: 9 })
    expect(await opens(made.secret)).toBe(200)
    const revoked = await shop.post(`/v1/api_keys/${made.id}/revoke`)
    expect([revoked.status, revoked.body.status]).toEqual([200, 'revoked'])
    expect(await Promise.all([made.secret, rolled.secret].map(opens))).toEqual([401, 401])
    const again = await shop.post(`/v1/api_keys/${made.id}/revoke`)
    expect(again.body.revoked_at).toBe(revoked.body.revoked_at)
    for (const sent of [
      shop.post(`/v1/api_keys/${made.id}/roll`),
      shop.patch(`/v1/api_keys/${made.id}`, { name: 'Again' }),
    ]) {
      expect(refusal(await sent)).toEqual([400, 'parameter_invalid', 'id'])
    }
  })

  it('ends at its date', async () => {
    const made = await make({ scopes: ['*'], expires_at: '2999-01-01T00:00:00Z' })
    await shop.owner.query(`update api_key set expires_at = now() where id = $1`, [made.id])
    expect(await opens(made.secret)).toBe(401)
    expect((await shop.get(`/v1/api_keys/${made.id}`)).body.status).toBe('expired')
  })
})

describe('what a key gives', () => {
  const MANAGER = ['api_keys:write', 'rewards:read']

  it('is never more than it has: it makes, rolls and updates no key beyond its own scopes', async () => {
    const { secret: key } = await make({ scopes: MANAGER })
    const beyond = [403, 'key_not_allowed', 'rewards:write']
    const asked = { scopes: ['rewards:read', 'rewards:write'] }
    expect(refusal(await shop.post('/v1/api_keys', asked, { key }))).toEqual(beyond)
    const all = { scopes: ['*'] }
    expect(refusal(await shop.post('/v1/api_keys', all, { key }))).toEqual([
      403,
      'key_not_allowed',
      '*',
    ])
    await make({ scopes: ['rewards:read'] }, key)

    const wider = await make(asked)
    const path = `/v1/api_keys/${wider.id}`
    expect(refusal(await shop.post(`${path}/roll`, {}, { key }))).toEqual(beyond)
    const narrower = { scopes: ['rewards:read'] }
    expect(refusal(await shop.post(path, narrower, { key }))).toEqual(beyond)
    expect(refusal(await shop.post(path, { name: 'Mine' }, { key }))).toEqual(beyond)
    const own = await make({ scopes: ['rewards:read'] }, key)
    expect(refusal(await shop.post(`/v1/api_keys/${own.id}`, asked, { key }))).toEqual(beyond)
    expect((await shop.get(path)).body.scopes).toEqual(asked.scopes)
  })

  it('is what it has in the moment of the write, though its request began with more', async () => {
    const manager = await make({ scopes: ['*'] })
    await opens(manager.secret) // its scopes are remembered for seconds
    await shop.owner.query(`update api_key set scopes = $2 where id = $1`, [manager.id, MANAGER])
    const sent = await shop.post('/v1/api_keys', { scopes: ['*'] }, { key: manager.secret })
    expect(refusal(sent)).toEqual([403, 'key_not_allowed', '*'])
    await shop.owner.query(`update api_key set scopes = '{*}' where id = $1`, [manager.id])
    await shop.owner.query(`update api_key set revoked_at = now() where id = $1`, [manager.id])
    const after = await shop.post('/v1/api_keys', { scopes: ['*'] }, { key: manager.secret })
    expect(after.status).toBeGreaterThanOrEqual(401)
    expect(after.status).toBeLessThanOrEqual(403)
  })

  it('waits for a change of its scopes that is under way', async () => {
    const manager = await make({ scopes: ['*'] })
    await opens(manager.secret)
    const client = await shop.owner.connect()
    await client.query('begin')
    await client.query(`update api_key set scopes = $2 where id = $1`, [manager.id, MANAGER])
    const sent = shop.post('/v1/api_keys', { scopes: ['*'] }, { key: manager.secret }).then(refusal)
    const waiting = async () =>
      (
        await shop.owner.query(
          `select count(*)::int as n from pg_locks
           where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
        )
      ).rows[0].n
    try {
      await expect.poll(waiting).toBeGreaterThan(0)
      await client.query('commit')
    } finally {
      client.release(true)
    }
    expect(await sent).toEqual([403, 'key_not_allowed', '*'])
  })
})

describe('the last use of a key', () => {
  it('is noted to the minute, behind the answers, once for many requests', async () => {
    const { id, secret } = await make({ scopes: ['*'] })
    const failures: unknown[] = []
    const uses = new CallerUses({ pool: shop.pool, onFailure: (failure) => failures.push(failure) })
    const key = { type: 'api_key', workspace: shop.workspace, id } as const
    const at = Date.UTC(2030, 0, 1, 12, 30, 45)
    uses.note(key, at)
    uses.note(key, at + 5_000)
    await uses.flush()
    const lastUse = async () => (await shop.get(`/v1/api_keys/${id}`)).body.last_used_at
    expect(await lastUse()).toBe('2030-01-01T12:30:00.000Z')
    uses.note(key, at - 600_000) // another process was slower
    await uses.flush()
    expect(await lastUse()).toBe('2030-01-01T12:30:00.000Z')
    uses.note(key, at + 60_000)
    await uses.flush()
    expect(await lastUse()).toBe('2030-01-01T12:31:00.000Z')
    expect(failures).toEqual([])
    expect(await opens(secret)).toBe(200)
  })

  it('of a request is there some seconds later', { timeout: 20_000 }, async () => {
    const { id, secret } = await make({ scopes: ['*'] })
    const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString()
    await opens(secret)
    const lastUse = async () => (await shop.get(`/v1/api_keys/${id}`)).body.last_used_at
    await expect.poll(lastUse, { timeout: 10_000, interval: 500 }).not.toBeNull()
    expect((await lastUse()) >= minute).toBe(true)
  })

  it('that cannot be noted is reported and forgotten, and nothing waits for it', async () => {
    const failures: string[] = []
    const pool = { query: async () => Promise.reject(new Error('away')) }
    const uses = new CallerUses({
      pool: pool as never,
      onFailure: ({ kind }) => failures.push(kind),
    })
    uses.note({ type: 'api_key', workspace: 'ws_1', id: 'key_1' })
    await uses.flush()
    await uses.flush()
    expect(failures).toEqual(['caller_uses'])
  })
})

it('a key of another workspace cannot be had by guessing ids', async () => {
  const stranger = await shop.stranger()
  const made = await make({ scopes: ['*'] })
  const { status } = await shop.post(`/v1/api_keys/${made.id}/revoke`, {}, { key: stranger })
  expect(status).toBe(404)
  expect(await opens(made.secret)).toBe(200)
  expect(await opens(newApiKey('secret', false))).toBe(401)
})
