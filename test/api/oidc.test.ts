import request, { type Response } from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { invitationCommands } from '../../app/invitations.ts'
import { openProvider } from '../support/oidc.ts'
import { asPerson, newEmail, signIn } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let provider: Awaited<ReturnType<typeof openProvider>>
let shop: Shop
beforeAll(async () => {
  provider = await openProvider()
  shop = await openShop({ worker: false, people: { oidc: provider.settings } })
})
afterAll(async () => {
  await shop.close()
  await provider.close()
})

const refusal = ({ status, body }: Response) => [status, body.error?.code]
const cookieOf = (answer: Response) => answer.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''

const begin = async () => {
  const answer = await request(shop.app).post('/v1/sessions/oidc').send({})
  expect(answer.status).toBe(200)
  return { url: String(answer.body.authorization_url), cookie: cookieOf(answer) }
}
const invited = async (role: 'viewer' | 'owner' = 'viewer') => {
  const email = newEmail()
  await invitationCommands(shop).inviteFirst(shop.workspace, email, role)
  return email
}
const come = async (who: Parameters<typeof provider.answer>[1]) => {
  const { url, cookie } = await begin()
  return signIn(shop, await provider.answer(url, who), [cookie])
}

describe('a sign-in at the OpenID provider', () => {
  it('asks for a code with PKCE, state and nonce, and its cookie is for this origin alone', async () => {
    const answer = await request(shop.app).post('/v1/sessions/oidc').send({})
    const asked = new URL(answer.body.authorization_url).searchParams
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.any(String),
      nonce: expect.any(String),
      scope: 'openid email profile',
    })
    expect(answer.headers['set-cookie']?.[0]).toMatch(/Max-Age=600; HttpOnly; SameSite=Strict$/)
  })

  it('lets somebody in who was invited by the e-mail that it has verified, and knows them by their subject then', async () => {
    const email = await invited('owner')
    const first = await come({ sub: 'mira', email: email.toUpperCase(), email_verified: true })
    expect(first.status).toBe(201)
    const mira = asPerson(shop, first)
    expect((await mira.send('get', '/v1/team_members')).status).toBe(200)
    const again = await come({ sub: 'mira', email: newEmail(), email_verified: true })
    expect([again.status, again.body.user.id]).toEqual([201, mira.id])
  })

  it.each([
    ['whom nobody invited', async () => ({ sub: 's1', email: newEmail(), email_verified: true })],
    [
      'whose e-mail it has not verified',
      async () => ({ sub: 's2', email: await invited(), email_verified: false }),
    ],
    ['without an e-mail', async () => ({ sub: 's3' })],
  ])('refuses somebody %s', async (_title, who) => {
    expect(refusal(await come(await who()))).toEqual([401, 'invalid_session'])
  })

  it('is finished by the browser that began it, once, with its own state and a code of the provider', async () => {
    const email = await invited()
    const who = { sub: 'jonas', email, email_verified: true }
    const [one, other] = [await begin(), await begin()]
    const answered = await provider.answer(one.url, who)
    expect(refusal(await signIn(shop, answered))).toEqual([401, 'invalid_session'])
    expect(refusal(await signIn(shop, answered, [other.cookie]))).toEqual([401, 'invalid_session'])
    expect(refusal(await signIn(shop, answered, ['vinr_oidc=e30']))).toEqual([
      401,
      'invalid_session',
    ])
    const forged = { ...answered, code: 'a code of nobody' }
    expect(refusal(await signIn(shop, forged, [one.cookie]))).toEqual([401, 'invalid_session'])
    const mixed = { ...answered, iss: 'https://another.example' }
    expect(refusal(await signIn(shop, mixed, [one.cookie]))).toEqual([401, 'invalid_session'])
    expect((await signIn(shop, answered, [one.cookie])).status).toBe(201)
    expect(refusal(await signIn(shop, answered, [one.cookie]))).toEqual([401, 'invalid_session'])
    await shop.owner.query('delete from attempt')
  })

  it('refuses an ID token for another sign-in', async () => {
    const email = await invited()
    const { url, cookie } = await begin()
    const changed = new URL(url)
    changed.searchParams.set('nonce', 'of-another-sign-in')
    const answered = await provider.answer(changed.href, { sub: 'n', email, email_verified: true })
    expect(refusal(await signIn(shop, answered, [cookie]))).toEqual([401, 'invalid_session'])
  })

  it('is 404 where no provider is configured, and 503 while it is away', async () => {
    const plain = await openShop({ worker: false })
    const away = { ...provider.settings, issuer: 'http://127.0.0.1:9' }
    const cut = await openShop({ worker: false, people: { oidc: away } })
    const post = (one: Shop) => request(one.app).post('/v1/sessions/oidc').send({})
    expect(refusal(await post(plain))).toEqual([404, 'resource_missing'])
    expect(refusal(await post(cut))).toEqual([503, 'temporarily_unavailable'])
    await Promise.all([plain.close(), cut.close()])
  })
})
