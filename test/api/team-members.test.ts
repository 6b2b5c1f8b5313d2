import type { Response } from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { scopeOf } from '../../api/server/scopes.ts'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import { ROLES, scopesOfRole } from '../../domain/roles.ts'
import { allows } from '../../domain/scopes.ts'
import { asPerson, newEmail, PASSWORD, type Person, person, signIn } from './people.ts'
import { openShop, type Shop } from './shop.ts'

let shop: Shop
let owner: Person
let admin: Person
beforeAll(async () => {
  shop = await openShop({ worker: false })
  owner = await person(shop, 'owner')
  admin = await person(shop, 'admin')
})
afterAll(() => shop.close())

const refusal = ({ status, body }: Response) => [status, body.error?.code]
const own = (who: Person) => `/v1/memberships/${who.membership}`
const forget = () => shop.owner.query('delete from attempt')

describe('an invitation', () => {
  it('gives somebody a role once they accept it with a password', async () => {
    const email = newEmail()
    const invited = await owner.send('post', '/v1/team_members', { email, role: 'support' })
    expect(invited.status).toBe(201)
    expect(invited.body).toMatchObject({
      object: 'team_member',
      email,
      name: null,
      status: 'invited',
      role: 'support',
      invitation: { token: expect.any(String), url: null, sent_to: null },
    })
    const { token } = invited.body.invitation
    const accepted = await signIn(shop, { token, password: PASSWORD, name: 'Mira' })
    const mira = asPerson(shop, accepted)
    expect((await mira.send('get', '/v1/loyalty/accounts')).status).toBe(200)
    const { body } = await owner.send('get', `/v1/team_members/${mira.id}`)
    expect(body).toMatchObject({ name: 'Mira', status: 'active', membership: mira.membership })
    const membership = await owner.send('get', own(mira))
    expect(membership.body).toMatchObject({
      user: mira.id,
      role: 'support',
      invited_by: { type: 'user', id: owner.id, name: 'owner' },
    })
  })

  it('shows its token to the request that made it, and not to a repeat', async () => {
    const body = { email: newEmail(), role: 'viewer' }
    const send = () =>
      owner.send('post', '/v1/team_members', body).set('Idempotency-Key', body.email)
    const [first, again] = [await send(), await send()]
    expect([first.status, again.status, again.headers['idempotent-replayed']]).toEqual([
      201,
      200,
      'true',
    ])
    expect(again.body.invitation.token).toBeNull()
  })

  it('is made anew, and of somebody who is there already refused', async () => {
    const email = newEmail()
    const first = await owner.send('post', '/v1/team_members', { email, role: 'viewer' })
    const twice = await owner.send('post', '/v1/team_members', { email, role: 'viewer' })
    expect([...refusal(twice), twice.body.error.resource]).toEqual([
      400,
      'parameter_invalid',
      first.body.id,
    ])
    const again = await owner.send('post', `/v1/team_members/${first.body.id}/invite`)
    expect(
      (await signIn(shop, { token: first.body.invitation.token, password: PASSWORD })).status,
    ).toBe(401)
    expect(
      (await signIn(shop, { token: again.body.invitation.token, password: PASSWORD })).status,
    ).toBe(201)
    const late = await owner.send('post', `/v1/team_members/${first.body.id}/invite`)
    expect(refusal(late)).toEqual([400, 'parameter_invalid'])
  })

  it('is never to more than one’s own role or scopes', async () => {
    const ask = (who: Person, role: string) =>
      who.send('post', '/v1/team_members', { email: newEmail(), role })
    expect((await ask(admin, 'admin')).status).toBe(201)
    expect(refusal(await ask(admin, 'owner'))).toEqual([403, 'role_not_allowed'])
    expect(refusal(await ask(await person(shop, 'marketing'), 'viewer'))).toEqual([
      403,
      'role_not_allowed',
    ])
    const { createKey } = workspaceCommands(shop)
    const { key } = await createKey(shop.workspace, 'secret', {
      scopes: ['team_members:write', ...scopesOfRole('viewer')],
    })
    const byKey = (role: string) =>
      shop.post('/v1/team_members', { email: newEmail(), role }, { key })
    expect((await byKey('viewer')).status).toBe(201)
    expect(refusal(await byKey('support'))).toEqual([403, 'key_not_allowed'])
  })
})

describe('what a person may do', () => {
  it('is what their role may, for every route, as for keys', async () => {
    for (const role of ROLES) {
      const somebody = await person(shop, role)
      await forget()
      for (const endpoint of ENDPOINTS) {
        const scope = scopeOf(endpoint)
        if (scope === undefined || allows(scopesOfRole(role), scope)) continue
        const method = endpoint.method.toLowerCase() as 'get'
        const sent = await somebody.send(method, endpoint.path.replace(/\{\w+\}/g, 'nobody'))
        const { code, scope: named } = sent.body.error
        expect([endpoint.path, sent.status, code, named]).toEqual([
          endpoint.path,
          403,
          'role_not_allowed',
          scope,
        ])
      }
      const looked = await somebody.send('get', '/v1/loyalty/rewards')
      expect([role, looked.status]).toEqual([role, 200])
    }
  })

  it('changes with their role at the next request', async () => {
    const somebody = await person(shop, 'viewer')
    const enrol = () => somebody.send('post', '/v1/loyalty/accounts', {})
    expect(refusal(await enrol())).toEqual([403, 'role_not_allowed'])
    expect((await owner.send('patch', own(somebody), { role: 'support' })).body.role).toBe(
      'support',
    )
    expect((await enrol()).status).toBe(201)
    await owner.send('patch', own(somebody), { role: 'viewer' })
    expect(refusal(await enrol())).toEqual([403, 'role_not_allowed'])
  })

  it('is nothing here once they are disabled or removed, though they are signed in', async () => {
    const somebody = await person(shop, 'viewer')
    const look = () => somebody.send('get', '/v1/loyalty/rewards')
    const member = `/v1/team_members/${somebody.id}`
    await owner.send('patch', member, { status: 'disabled' })
    expect(refusal(await look())).toEqual([404, 'resource_missing'])
    expect((await somebody.send('get', '/v1/sessions/current')).body.memberships).toEqual([])
    await owner.send('patch', member, { status: 'active' })
    expect((await look()).status).toBe(200)
    expect((await owner.send('delete', own(somebody))).status).toBe(200)
    expect(refusal(await look())).toEqual([404, 'resource_missing'])
    expect(refusal(await owner.send('get', member))).toEqual([404, 'resource_missing'])
    const back = await owner.send('post', '/v1/team_members', {
      email: somebody.email,
      role: 'viewer',
    })
    expect(back.status).toBe(201)
  })

  it('is to give API keys no more than they have', async () => {
    const make = (who: Person, scopes: string[]) => who.send('post', '/v1/api_keys', { scopes })
    const made = await make(admin, ['rewards:read'])
    expect(made.body.created_by).toEqual({ type: 'user', id: admin.id, name: 'admin' })
    expect(refusal(await make(admin, ['*']))).toEqual([403, 'role_not_allowed'])
    expect((await make(owner, ['*'])).status).toBe(201)
  })

  it('ends in the middle of a request: what they give then is judged by what they are', async () => {
    const somebody = await person(shop, 'admin')
    await somebody.send('get', '/v1/team_members') // remembered for seconds
    await shop.owner.query(`update membership set role = 'viewer' where id = $1`, [
      somebody.membership,
    ])
    const key = await somebody.send('post', '/v1/api_keys', { scopes: ['rewards:write'] })
    expect(refusal(key)).toEqual([403, 'role_not_allowed'])
    const mail = { email: newEmail(), role: 'support' }
    const invited = await somebody.send('post', '/v1/team_members', mail)
    expect(refusal(invited)).toEqual([403, 'role_not_allowed'])
  })
})

describe('an owner', () => {
  it('is neither changed nor removed by an admin', async () => {
    const change = await admin.send('patch', own(owner), { role: 'viewer' })
    expect(refusal(change)).toEqual([403, 'role_not_allowed'])
    expect(refusal(await admin.send('delete', own(owner)))).toEqual([403, 'role_not_allowed'])
    const reset = await admin.send('post', `/v1/team_members/${owner.id}/reset_password`)
    expect(refusal(reset)).toEqual([403, 'role_not_allowed'])
  })

  it('who is the last is neither demoted, disabled nor removed', async () => {
    const { workspace, people } = await shopWithOwners(1)
    const [last] = people
    if (last === undefined) throw new Error('nobody')
    for (const sent of [
      last.send('patch', own(last), { role: 'viewer' }),
      last.send('delete', own(last)),
      last.send('patch', `/v1/team_members/${last.id}`, { status: 'disabled' }),
    ]) {
      expect(refusal(await sent)).toEqual([403, 'role_not_allowed'])
    }
    expect(await owners(workspace)).toBe(1)
    expect((await last.send('patch', own(last), { role: 'owner' })).status).toBe(200)
  })

  it.each([
    ['demote', (who: Person, whom: Person) => who.send('patch', own(whom), { role: 'viewer' })],
    ['remove', (who: Person, whom: Person) => who.send('delete', own(whom))],
  ])('stays where all %s each other at the same time', async (_verb, act) => {
    for (let round = 0; round < 3; round++) {
      const { workspace, people } = await shopWithOwners(3)
      await Promise.all(
        people.flatMap((who) => people.map((whom) => act(who, whom).then(({ status }) => status))),
      )
      expect(await owners(workspace)).toBeGreaterThanOrEqual(1)
    }
  })

  it('gets a link for somebody of this workspace alone, by which they set a password', async () => {
    const somebody = await person(shop, 'viewer')
    const reset = await owner.send('post', `/v1/team_members/${somebody.id}/reset_password`)
    expect(reset.body).toMatchObject({ object: 'password_reset', user: somebody.id, sent_to: null })
    const next = { token: reset.body.token, password: 'a password after a reset' }
    expect((await signIn(shop, next)).status).toBe(201)
    const { people } = await shopWithOwners(1)
    const elsewhere = people[0]?.email ?? ''
    const invited = await owner.send('post', '/v1/team_members', {
      email: elsewhere,
      role: 'viewer',
    })
    const path = `/v1/team_members/${invited.body.id}/reset_password`
    expect(refusal(await owner.send('post', path))).toEqual([403, 'role_not_allowed'])
  })
})

it('lists people and memberships by role, page by page', async () => {
  const first = await owner.send('get', '/v1/team_members?limit=2')
  expect(first.body).toMatchObject({ object: 'list', has_more: true })
  const after = first.body.data[1].id
  const next = await owner.send('get', `/v1/team_members?limit=100&starting_after=${after}`)
  const ids = [...first.body.data, ...next.body.data].map(({ id }: { id: string }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toContain(owner.id)
  const unknown = await owner.send('get', '/v1/team_members?starting_after=usr_nobody')
  expect(refusal(unknown)).toEqual([400, 'parameter_invalid'])
  const admins = await owner.send('get', '/v1/memberships?role=admin&status=active')
  expect(admins.body.data.map(({ id }: { id: string }) => id)).toContain(admin.membership)
  expect(admins.body.data.every(({ role }: { role: string }) => role === 'admin')).toBe(true)
})

const owners = async (workspace: string): Promise<number> => {
  const { rows } = await shop.owner.query(
    `select count(*)::int as n from membership
     where workspace = $1 and role = 'owner' and status = 'active' and removed_at is null`,
    [workspace],
  )
  return rows[0].n
}

async function shopWithOwners(count: number) {
  const workspace = newId('ws')
  await workspaceCommands(shop).createWorkspace(workspace, 'Another', false)
  const people: Person[] = []
  for (let n = 0; n < count; n++) people.push(await person(shop, 'owner', workspace))
  await forget()
  return { workspace, people }
}
