import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { invitationCommands } from '../../app/invitations.ts'
import { asPerson, newEmail, PASSWORD, type Person, person, signIn } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
let owner: Person
beforeAll(async () => {
  shop = await openShop({ worker: false, failedKeysPerMinute: 10_000 })
  owner = await person(shop, 'owner')
})
afterAll(() => shop.close())

const refusal = ({ status, body }: request.Response) => [status, body.error?.code]
const forgetAddress = () => shop.owner.query(`delete from attempt where key like 'address %'`)
const rewards = (who: Person) => who.send('get', '/v1/loyalty/rewards')

describe('a session', () => {
  it('begins with e-mail and password, in a cookie that no script reads, and says who it is', async () => {
    const answer = await signIn(shop, { email: owner.email.toUpperCase(), password: PASSWORD })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({
      object: 'session',
      user: { id: owner.id, email: owner.email, name: 'owner' },
      memberships: [{ workspace: shop.workspace, role: 'owner', livemode: false }],
    })
    const [session = '', device = ''] = answer.headers['set-cookie'] ?? []
    expect(session).toMatch(
      /^vinr_session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    )
    expect(device).toMatch(/^vinr_device=[\w-]{43}; .*HttpOnly; SameSite=Strict$/)
    const { rows } = await shop.owner.query('select * from session')
    expect(JSON.stringify(rows)).not.toContain(session.slice(13, 56))
  })

  it('is accepted where a secret key is, in the workspace that it names', async () => {
    expect((await rewards(owner)).status).toBe(200)
    const made = await owner.send('post', '/v1/loyalty/accounts', {})
    expect(made.status).toBe(201)
    expect((await shop.get(`/v1/loyalty/accounts/${made.body.id}`)).status).toBe(200)
  })

  it('without a workspace is 400, and with one that its person is not of 404', async () => {
    const cookie = owner.cookies.join('; ')
    const sent = () => request(shop.app).get('/v1/loyalty/rewards').set('Cookie', cookie)
    expect(refusal(await sent())).toEqual([400, 'parameter_missing'])
    for (const workspace of ['ws_nobody', 'nothing', '']) {
      const answer = await sent().set('Vinr-Workspace', workspace)
      expect(refusal(answer)).toEqual([404, 'resource_missing'])
    }
    const stranger = await person(await otherWorkspace(), 'owner', other)
    const foreign = await request(shop.app)
      .get('/v1/loyalty/rewards')
      .set('Cookie', stranger.cookies.join('; '))
      .set('Vinr-Workspace', shop.workspace)
    expect(refusal(foreign)).toEqual([404, 'resource_missing'])
  })

  it('writes with its token alone, and never for another site’s page', async () => {
    const write = () =>
      request(shop.app)
        .post('/v1/loyalty/accounts')
        .set('Cookie', owner.cookies.join('; '))
        .set('Vinr-Workspace', shop.workspace)
    expect(refusal(await write().send({}))).toEqual([403, 'csrf_failed'])
    expect(refusal(await write().set('Vinr-Csrf-Token', 'x').send({}))).toEqual([
      403,
      'csrf_failed',
    ])
    const foreign = write().set('Vinr-Csrf-Token', owner.csrf).set('Sec-Fetch-Site', 'same-site')
    expect(refusal(await foreign.send({}))).toEqual([403, 'csrf_failed'])
    const own = write().set('Vinr-Csrf-Token', owner.csrf).set('Sec-Fetch-Site', 'same-origin')
    expect((await own.send({})).status).toBe(201)
    const read = await rewards(owner).set('Sec-Fetch-Site', 'cross-site')
    expect(refusal(read)).toEqual([403, 'csrf_failed'])
  })

  it.each([
    ['forged', () => 'vinr_session=0123456789012345678901234567890123456789012'],
    ['of another form', () => 'vinr_session=x'],
    ['sent twice', () => `${owner.cookies[0]}; ${owner.cookies[0]}`],
  ])('that is %s is 401', async (_title, cookie) => {
    const answer = await request(shop.app)
      .get('/v1/loyalty/rewards')
      .set('Cookie', cookie())
      .set('Vinr-Workspace', shop.workspace)
    expect(answer.status).toBe(401)
    expect(refusal(await request(shop.app).get('/v1/sessions').set('Cookie', cookie()))).toEqual([
      401,
      'invalid_session',
    ])
  })

  it.each([
    ['has expired', `expires_at = now() - interval '1 second'`],
    ['was not used for a day', `seen_at = now() - interval '1 day'`],
    ['was ended', `ended_at = now()`],
  ])('that %s is 401 invalid_session', async (_title, change) => {
    const somebody = await person(shop, 'viewer')
    await shop.owner.query(`update session set ${change} where user_id = $1`, [somebody.id])
    expect(refusal(await rewards(somebody))).toEqual([401, 'invalid_session'])
  })

  it('is not asked where there is a key, and opens nothing that only a key may', async () => {
    const sent = rewards(owner).set('X-Api-Key', 'sk_test_nobodysnobodys')
    expect(refusal(await sent)).toEqual([401, 'invalid_api_key'])
  })

  it('is listed, and signed out: this one, another, or all of them', async () => {
    const somebody = await person(shop, 'viewer')
    const again = async () =>
      (await signIn(shop, { email: somebody.email, password: PASSWORD })).body.id
    const [second, third] = [await again(), await again()]
    const { body } = await somebody.send('get', '/v1/sessions')
    expect(
      body.data.map(({ id, current }: { id: string; current: boolean }) => [id, current]),
    ).toEqual([
      [third, false],
      [second, false],
      [expect.stringMatching(/^ses_/), true],
    ])
    expect((await somebody.send('delete', `/v1/sessions/${second}`)).status).toBe(200)
    expect(refusal(await somebody.send('delete', `/v1/sessions/${second}`))).toEqual([
      404,
      'resource_missing',
    ])
    expect((await rewards(somebody)).status).toBe(200)
    const leaver = asPerson(shop, await signIn(shop, { email: somebody.email, password: PASSWORD }))
    expect((await leaver.send('delete', '/v1/sessions/current')).status).toBe(200)
    expect(refusal(await rewards(leaver))).toEqual([401, 'invalid_session'])
    const all = await somebody.send('post', '/v1/sessions/sign_out_everywhere')
    expect([all.status, all.body.count]).toEqual([200, 2])
    expect(all.headers['set-cookie']?.[0]).toMatch(/^vinr_session=; Path=\/; Max-Age=0;/)
    expect(refusal(await rewards(somebody))).toEqual([401, 'invalid_session'])
  })

  it('of somebody else cannot be ended', async () => {
    const [one, other] = [await person(shop, 'viewer'), await person(shop, 'viewer')]
    const { id } = (await one.send('get', '/v1/sessions/current')).body
    expect((await other.send('delete', `/v1/sessions/${id}`)).status).toBe(404)
    expect((await rewards(one)).status).toBe(200)
  })

  it('behind https has a cookie of this host alone', async () => {
    const { app } = await openHttpsApp()
    const answer = await request(app)
      .post('/v1/sessions')
      .set('X-Forwarded-Proto', 'https')
      .send({ email: owner.email, password: PASSWORD })
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-vinr_session=.*; Secure$/)
  })
})

describe('a password', () => {
  it('that is wrong and an e-mail that is not known are answered alike, and take alike long', async () => {
    const spent = { known: 0, unknown: 0 } // of processor time, which a busy machine does not change
    for (let n = 0; n < 4; n++) {
      for (const kind of ['known', 'unknown'] as const) {
        await shop.owner.query('delete from attempt')
        const before = process.cpuUsage()
        const email = kind === 'known' ? owner.email : newEmail()
        const answer = await signIn(shop, { email, password: 'this is not it at all' })
        const { user, system } = process.cpuUsage(before)
        spent[kind] += user + system
        expect([refusal(answer), answer.body.error.message]).toEqual([
          [401, 'invalid_session'],
          'The e-mail or the password is wrong.',
        ])
      }
    }
    expect(spent.unknown).toBeGreaterThan(spent.known / 2)
    expect(spent.known).toBeGreaterThan(spent.unknown / 2)
  })

  it('is kept as argon2id, and shorter than twelve characters is refused', async () => {
    const { rows } = await shop.owner.query('select password_hash from credential limit 1')
    expect(rows[0].password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const { token } = await invitationCommands(shop).inviteFirst(
      shop.workspace,
      newEmail(),
      'viewer',
    )
    const short = await signIn(shop, { token, password: 'eleven char' })
    expect(refusal(short)).toEqual([400, 'parameter_invalid'])
  })

  it('is changed by who knows it, and every other session ends', async () => {
    const somebody = await person(shop, 'viewer')
    const elsewhere = await signIn(shop, { email: somebody.email, password: PASSWORD })
    const path = '/v1/sessions/change_password'
    const change = { current_password: 'not the one it is', new_password: 'another long password' }
    expect(refusal(await somebody.send('post', path, change))).toEqual([401, 'invalid_session'])
    await shop.owner.query('delete from attempt')
    const right = await somebody.send('post', path, { ...change, current_password: PASSWORD })
    expect(right.status).toBe(200)
    expect((await rewards(somebody)).status).toBe(200)
    const cookie = elsewhere.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
    expect((await request(shop.app).get('/v1/sessions').set('Cookie', cookie)).status).toBe(401)
    const { email } = somebody
    expect((await signIn(shop, { email, password: PASSWORD })).status).toBe(401)
    await shop.owner.query('delete from attempt')
    expect((await signIn(shop, { email, password: change.new_password })).status).toBe(201)
  })
})

describe('a one-time token', () => {
  const { inviteFirst, resetByEmail } = {
    inviteFirst: (e: string) => invitationCommands(shop).inviteFirst(shop.workspace, e, 'viewer'),
    resetByEmail: (e: string) => invitationCommands(shop).resetByEmail(e),
  }

  it('is redeemed once, also by two at the same time', async () => {
    await forgetAddress()
    const { token } = await inviteFirst(newEmail())
    const answers = await Promise.all(
      [1, 2, 3].map(() => signIn(shop, { token, password: PASSWORD })),
    )
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 401, 401])
    const { rows } = await shop.owner.query('select hash from one_time_token')
    expect(JSON.stringify(rows)).not.toContain(token)
    await forgetAddress()
  })

  it('expires, and is worthless once another was made', async () => {
    const email = newEmail()
    const first = await inviteFirst(email)
    const second = await inviteFirst(email)
    expect((await signIn(shop, { token: first.token, password: PASSWORD })).status).toBe(401)
    await shop.owner.query(`update one_time_token set expires_at = now() where used_at is null`)
    expect((await signIn(shop, { token: second.token, password: PASSWORD })).status).toBe(401)
    await forgetAddress()
  })

  it('of a reset sets the password, ends all sessions, and needs none of the account’s attempts', async () => {
    const somebody = await person(shop, 'viewer')
    const { email } = somebody
    const { token } = await resetByEmail(email)
    expect(refusal(await signIn(shop, { token }))).toEqual([400, 'parameter_missing'])
    const next = 'a password after the reset'
    expect((await signIn(shop, { token, password: next })).status).toBe(201)
    expect(refusal(await rewards(somebody))).toEqual([401, 'invalid_session'])
    expect((await signIn(shop, { email, password: next })).status).toBe(201)
    await forgetAddress()
  })

  it('of an invitation of somebody who has a password asks for theirs, and does not set another', async () => {
    const somebody = await person(await otherWorkspace(), 'owner', other)
    const { token } = await inviteFirst(somebody.email)
    const taken = await signIn(shop, { token, password: 'what the inviter would like' })
    expect(refusal(taken)).toEqual([401, 'invalid_session'])
    const { body } = await signIn(shop, { token, password: PASSWORD })
    expect(
      body.memberships.map(({ workspace }: { workspace: string }) => workspace).sort(),
    ).toEqual([shop.workspace, other].sort())
    await forgetAddress()
  })
})

describe('guesses', () => {
  const guess = (email: string) => signIn(shop, { email, password: 'a guess of somebody else' })

  it('wait after five at one account, whatever address they come from; a browser that is known does not wait for them', async () => {
    await shop.owner.query('delete from attempt')
    const victim = await person(shop, 'owner')
    await shop.owner.query('delete from attempt')
    const statuses: number[] = []
    for (let n = 0; n < 40; n++) {
      await forgetAddress() // each from another address
      statuses.push((await guess(victim.email)).status)
    }
    const tried = statuses.filter((status) => status === 401).length
    expect(tried).toBeGreaterThanOrEqual(5)
    expect(tried).toBeLessThan(12)
    const refused = await guess(victim.email)
    expect(refusal(refused)).toEqual([429, 'too_many_requests'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    await forgetAddress()
    const right = { email: victim.email, password: PASSWORD }
    expect((await signIn(shop, right)).status).toBe(429) // a browser that nobody knows
    await forgetAddress()
    expect((await signIn(shop, right, victim.cookies.slice(1))).status).toBe(201)
    const { token } = await invitationCommands(shop).resetByEmail(victim.email)
    await forgetAddress()
    expect((await signIn(shop, { token, password: PASSWORD })).status).toBe(201)
  })

  it('from one address wait after twenty, whoever they are about', async () => {
    await shop.owner.query('delete from attempt')
    const statuses: number[] = []
    for (let n = 0; n < 60; n++) statuses.push((await guess(newEmail())).status)
    const tried = statuses.filter((status) => status === 401).length
    expect(tried).toBeGreaterThanOrEqual(20)
    expect(tried).toBeLessThan(30)
    await shop.owner.query('delete from attempt')
  })
})

let other = ''
async function otherWorkspace(): Promise<Shop> {
  if (other !== '') return shop
  const { workspaceCommands } = await import('../../app/workspaces.ts')
  const { newId } = await import('../../domain/ids.ts')
  other = newId('ws')
  await workspaceCommands(shop).createWorkspace(other, 'Another shop', false)
  return shop
}

/** The same product behind a proxy that ends https. */
async function openHttpsApp() {
  const { Registry } = await import('prom-client')
  const { createLog } = await import('../../process/log.ts')
  const { productApp } = await import('../../api/server/product.ts')
  const log = createLog({ level: 'silent', name: 'api' })
  const app = productApp(
    {
      pool: shop.pool,
      engine: shop.engine,
      holdMinutes: 30,
      log,
      registry: new Registry(),
      version: '0.0.0',
    },
    { trustProxy: true },
  )
  return { app }
}
