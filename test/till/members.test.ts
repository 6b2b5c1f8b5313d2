import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberToken } from '../../domain/identity.ts'
import { openShop, type Shop } from '../api/shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.close())

const enrol = async () => (await shop.post('/v1/loyalty/accounts', {})).body.id as string
const register = (account: string, body: object, options: { idempotencyKey?: string } = {}) =>
  shop.post(`/v1/loyalty/accounts/${account}/identities`, body, options)
const lookUp = (body: object, key?: string) => shop.post('/members/lookup', body, { key })
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const number = () => `+4790${String(Math.random()).slice(2, 8)}`

async function device() {
  const user = await enrol()
  const { body } = await register(user, { kind: 'device', label: 'phone' })
  const secret = Buffer.from(body.secret, 'base64url')
  const token = (atMs = Date.now()) => memberToken(body.id, secret, atMs)
  return { user, id: body.id as string, token }
}

const NOBODY = [404, 'resource_missing', 'No such member.']
const said = ({ status, body }: { status: number; body: { error: Record<string, unknown> } }) => [
  status,
  body.error.code,
  body.error.message,
]

describe('a QR token', () => {
  it('made by the device alone names the member, with the wallet', async () => {
    const { user, token } = await device()
    for (const path of ['/members/lookup', '/v1/members/lookup']) {
      const { status, body } = await shop.post(path, { token: token() })
      expect([status, body.user, body.identified_by]).toEqual([200, user, 'qr'])
      expect(body.wallet).toMatchObject({ user, points: 0 })
    }
  })

  it('is good for three minutes and a clock a minute ahead, and no longer', async () => {
    const { user, token } = await device()
    const ago = (seconds: number) => token(Date.now() - seconds * 1_000)
    expect((await lookUp({ token: ago(145) })).body.user).toBe(user)
    expect(said(await lookUp({ token: ago(215) }))).toEqual(NOBODY)
    expect((await lookUp({ token: ago(-55) })).body.user).toBe(user)
    expect(said(await lookUp({ token: ago(-95) }))).toEqual(NOBODY)
  })

  it('is answered again to the till that read it first, and to no other', async () => {
    const { user, token } = await device()
    const one = token()
    expect((await lookUp({ token: one, till: 'till-1' })).body.user).toBe(user)
    expect((await lookUp({ token: one, till: 'till-1' })).body.user).toBe(user)
    expect(said(await lookUp({ token: one, till: 'till-2' }))).toEqual(NOBODY)
    expect(said(await lookUp({ token: one }))).toEqual(NOBODY)
  })

  it('is worth nothing once a newer one was read', async () => {
    const { token } = await device()
    const older = token(Date.now() - 60_000)
    await lookUp({ token: token(), till: 'till-1' })
    expect(said(await lookUp({ token: older, till: 'till-1' }))).toEqual(NOBODY)
  })

  it('read by many tills at once is answered to one', async () => {
    const { token } = await device()
    const one = token()
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) => lookUp({ token: one, till: `till-${n}` })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(15)
  })

  it('changed anywhere, or of another device, names nobody', async () => {
    const [ours, other] = [await device(), await device()]
    const [kind, id, step, tag] = ours.token().split('.')
    const forged = [
      [kind, id, step, other.token().split('.')[3]],
      [kind, other.id, step, tag],
      [kind, id, Number(step) + 1, tag],
      [kind, id, step, `${tag?.slice(0, -2)}AA`],
      [kind, id, step],
      [kind, id, step, tag, tag],
      ['q1', '', '', ''],
    ]
    for (const parts of forged) {
      expect(said(await lookUp({ token: parts.join('.') }))).toEqual(NOBODY)
    }
  })

  it('of a revoked device names nobody', async () => {
    const { id, token } = await device()
    expect((await shop.delete(`/v1/loyalty/identities/${id}`)).body.revoked_at).not.toBeNull()
    expect(said(await lookUp({ token: token() }))).toEqual(NOBODY)
  })
})

describe('a card', () => {
  it('is issued once, found by its token, and kept only as a hash', async () => {
    const user = await enrol()
    const { status, body } = await register(user, { kind: 'card' })
    expect([status, body.kind]).toEqual([201, 'card'])
    expect((await lookUp({ token: body.token })).body).toMatchObject({
      user,
      identified_by: 'card',
    })
    const { rows } = await shop.owner.query('select * from member_identity where id = $1', [
      body.id,
    ])
    expect(JSON.stringify(rows)).not.toContain(body.token)
    const again = await shop.get(`/v1/loyalty/identities/${body.id}`)
    expect(again.body).not.toHaveProperty('token')
  })

  it('of the merchant’s own numbering is registered and found', async () => {
    const user = await enrol()
    const token = `4006381333931-${user}`
    expect((await register(user, { kind: 'card', token })).body).not.toHaveProperty('token')
    expect((await lookUp({ token })).body.user).toBe(user)
  })

  it('revoked names nobody', async () => {
    const { body } = await register(await enrol(), { kind: 'card' })
    await shop.delete(`/v1/loyalty/identities/${body.id}`)
    expect(said(await lookUp({ token: body.token }))).toEqual(NOBODY)
  })

  it('is shown again to a repeat with the same key, for an answer may be lost', async () => {
    const user = await enrol()
    const options = { idempotencyKey: `card-${user}` }
    const first = await register(user, { kind: 'card' }, options)
    const again = await register(user, { kind: 'card' }, options)
    expect([again.status, again.body]).toEqual([200, first.body])
    const other = await register(user, { kind: 'device' }, options)
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
  })
})

describe('a phone', () => {
  it('is found however it is written, and by its hash', async () => {
    const [user, phone] = [await enrol(), number()]
    await register(user, { kind: 'phone', phone })
    const written = `${phone.slice(0, 3)} (${phone.slice(3, 6)}) ${phone.slice(6)}`
    for (const body of [{ phone }, { phone: written }, { phone_hash: sha256(phone) }]) {
      expect((await lookUp(body)).body).toMatchObject({ user, identified_by: 'phone' })
    }
  })

  it('registered by its hash is found by its number', async () => {
    const [user, phone] = [await enrol(), number()]
    await register(user, { kind: 'phone', phone_hash: sha256(phone).toUpperCase() })
    expect((await lookUp({ phone })).body.user).toBe(user)
  })

  it('is nowhere in the database or the log, nor is a plain hash of it or of the request', async () => {
    const [user, phone] = [await enrol(), number()]
    const path = `/v1/loyalty/accounts/${user}/identities`
    await register(user, { kind: 'phone', phone }, { idempotencyKey: phone.slice(-6) })
    await lookUp({ phone })
    const { rows: tables } = await shop.owner.query(
      `select table_name from information_schema.tables where table_schema = 'public'`,
    )
    const { fingerprintOf } = await import('../../domain/ids.ts')
    const guessable = fingerprintOf([{ id: user }, { kind: 'phone', phone }])
    for (const { table_name: table } of tables) {
      const { rows } = await shop.owner.query(`select to_jsonb(t) as row from ${table} t`)
      const all = JSON.stringify(rows)
      for (const trace of [phone, sha256(phone), guessable]) expect(all).not.toContain(trace)
    }
    expect(shop.lines.join('')).toContain(path)
    expect(shop.lines.join('')).not.toContain(phone.slice(1))
  })

  it.each(['4791234567', '+0912345', '+47 abc', '+4', '+123456789012345678'])(
    'that is no international number is refused: %s',
    async (phone) => {
      const { status, body } = await register('loy_9f2k', { kind: 'phone', phone })
      expect([status, body.error.param]).toEqual([400, 'phone'])
    },
  )
})

describe('an identity', () => {
  it('is one member’s: another one’s is refused with who has it, the same again is as it is', async () => {
    const [user, other, phone] = [await enrol(), await enrol(), number()]
    const first = await register(user, { kind: 'phone', phone })
    const again = await register(user, { kind: 'phone', phone })
    expect([again.status, again.body.id]).toEqual([200, first.body.id])
    const taken = await register(other, { kind: 'phone', phone })
    expect([taken.status, taken.body.error.code, taken.body.error.resource]).toEqual([
      409,
      'account_already_exists',
      user,
    ])
    expect(taken.body.error.message).toBe(`Another member is recognised by this phone: ${user}.`)
    await shop.delete(`/v1/loyalty/identities/${first.body.id}`)
    expect((await register(other, { kind: 'phone', phone })).status).toBe(201)
    expect((await lookUp({ phone })).body.user).toBe(other)
  })

  it('that many members ask for at once goes to one', async () => {
    const external_id = `rush-${Date.now()}`
    const members = await Promise.all(Array.from({ length: 8 }, enrol))
    const answers = await Promise.all(
      members.map((member) => register(member, { kind: 'external_id', external_id })),
    )
    const won = answers.filter(({ status }) => status === 201)
    const refused = answers.filter(({ status }) => status === 409)
    expect([won.length, refused.length]).toEqual([1, 7])
  })

  it('follows its member through a merge', async () => {
    const { user, token } = await device()
    const [target, phone] = [await enrol(), number()]
    await register(user, { kind: 'phone', phone })
    await shop.post('/v1/loyalty/accounts/merge', { source: user, target })
    expect((await lookUp({ token: token() })).body.user).toBe(target)
    expect((await lookUp({ phone })).body.user).toBe(target)
    expect((await register(target, { kind: 'phone', phone })).status).toBe(200)
    const { body } = await shop.get(`/v1/loyalty/accounts/${target}/identities`)
    expect(body.data.map(({ kind }: { kind: string }) => kind)).toEqual(['phone', 'device'])
    const late = await register(user, { kind: 'card' })
    expect([late.status, late.body.error.code]).toEqual([422, 'account_merged'])
  })

  it.each([
    [{ kind: 'external_id', external_id: 'loy_9f2k' }, 'external_id'],
    [{ kind: 'card', token: 'short' }, 'token'],
    [{ kind: 'card', token: 'q1.something-like-a-device' }, 'token'],
    [{ kind: 'phone', phone_hash: 'abc' }, 'phone_hash'],
    [{ kind: 'face' }, 'kind'],
    [{}, 'kind'],
  ])('is refused as %j', async (body, param) => {
    const answer = await register('loy_9f2k', body)
    expect([answer.status, answer.body.error.param]).toEqual([400, param])
  })

  it('of nobody is 404, and the key of that request stays free', async () => {
    const options = { idempotencyKey: 'no-such-member' }
    expect((await register('loy_nobody', { kind: 'card' }, options)).status).toBe(404)
    expect((await register('loy_nobody', { kind: 'device' }, options)).status).toBe(404)
  })
})

describe('a look-up', () => {
  it('by id takes the account’s or an external one', async () => {
    const user = await enrol()
    const external_id = `crm-${user}`
    await register(user, { kind: 'external_id', external_id })
    for (const id of [user, external_id]) {
      expect((await lookUp({ id })).body).toMatchObject({ user, identified_by: 'id' })
    }
  })

  it('finds nothing of another workspace, whatever is shown', async () => {
    const stranger = await shop.stranger()
    const { user, token } = await device()
    const [card, phone] = [(await register(user, { kind: 'card' })).body, number()]
    await register(user, { kind: 'phone', phone })
    for (const body of [{ token: token() }, { token: card.token }, { phone }, { id: user }]) {
      expect(said(await lookUp(body, stranger))).toEqual(NOBODY)
      expect((await lookUp(body)).status).toBe(200)
    }
  })

  it('is refused with a publishable key, before anything is looked at', async () => {
    const { status, body } = await lookUp({ id: 'loy_9f2k' }, shop.keys.publishableKey)
    expect([status, body.error.code]).toEqual([403, 'key_not_allowed'])
  })

  it('takes one thing shown and not two', async () => {
    expect((await lookUp({ id: 'loy_9f2k', phone: number() })).status).toBe(400)
    expect((await lookUp({})).status).toBe(400)
  })

  it('that found nobody sixty times is refused for the rest of the minute, for its kind and key alone', async () => {
    const { createKey } = (await import('../../app/workspaces.ts')).workspaceCommands(shop)
    const guessing = (await createKey(shop.workspace, 'secret')).key
    const guesses = await Promise.all(
      Array.from({ length: 80 }, (_, n) => lookUp({ token: `guess-number-${n}` }, guessing)),
    )
    expect(guesses.filter(({ status }) => status === 404).length).toBeLessThanOrEqual(60)
    const refused = guesses.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(20)
    expect(refused[0]?.body.error.code).toBe('too_many_requests')
    expect(refused[0]?.headers['retry-after']).toBeDefined()
    const { body: card } = await register(await enrol(), { kind: 'card' })
    expect((await lookUp({ token: card.token }, guessing)).status).toBe(429)
    expect((await lookUp({ id: 'loy_9f2k' }, guessing)).status).toBe(200)
    expect((await lookUp({ token: card.token })).status).toBe(200)
  })

  it('and what else names a user by a guess is counted with look-ups by id: wallets, conversions, events and dry runs', async () => {
    const { createKey } = (await import('../../app/workspaces.ts')).workspaceCommands(shop)
    const { key } = await createKey(shop.workspace, 'secret')
    const name = `guess.${number().slice(1)}`
    await shop.post('/v1/event_types', { name, schema: { type: 'object' } })
    const { body: reactor } = await shop.post('/v1/reactors', {
      name: 'R',
      trigger: name,
      reactions: [{ type: 'adjust_points', points: '1' }],
    })
    const event = (user: string) =>
      shop.post('/v1/events', { type: name, user, payload: {} }, { key })
    const ways = [
      (user: string) => shop.get(`/users/${user}/wallet`, key),
      (user: string) => shop.get(`/v1/users/${user}/conversion?points=1`, key),
      event,
      (user: string) =>
        shop.post(`/v1/reactors/${reactor.id}/dry_run`, { user, payload: {} }, { key }),
      (user: string) => lookUp({ id: user }, key),
    ] as const
    for (let guess = 0; guess < 60; guess++) {
      const answer = await ways[guess % ways.length]?.(`crm-guess-${guess}`)
      expect([guess, answer?.status]).toEqual([guess, 404])
    }
    for (const way of ways) {
      const { status, body } = await way('loy_9f2k')
      expect([status, body.error?.code]).toEqual([429, 'too_many_requests'])
    }
    expect((await shop.get('/users/loy_9f2k/wallet')).status).toBe(200)
  })

  it('that finds somebody is never counted', async () => {
    for (let n = 0; n < 70; n++) expect((await lookUp({ id: 'loy_9f2k' })).status).toBe(200)
  })
})
