import { asPerson, PASSWORD, person, signIn } from '../api/people.ts'
import type { Book } from './book.ts'

const KEYS = '/v1/api_keys'

/** Who may come in: keys of programs, and people. */
export async function access({ ask }: Book): Promise<void> {
  const till = await ask(`POST ${KEYS}`, 'For a till', {
    body: { name: 'Till 3', scopes: ['tills:read', 'tills:write'] },
  })
  await ask(`POST ${KEYS}`, 'For a shop’s pages', {
    body: { type: 'publishable', name: 'Shop pages' },
  })
  const path = { id: till.id }
  await ask('GET /v1/loyalty/programs', 'A scope is missing', {
    headers: { 'X-Api-Key': till.secret },
    refused: 403,
  })
  await ask(`GET ${KEYS}`, 'Keys of programs', { query: { type: 'secret', limit: 1 } })
  await ask(`GET ${KEYS}/{id}`, 'A key', { path })
  await ask(`PATCH ${KEYS}/{id}`, 'Another name, more scopes', {
    path,
    body: { name: 'Till 3, upstairs', scopes: ['tills:read', 'tills:write', 'rewards:read'] },
  })
  await ask(`POST ${KEYS}/{id}/roll`, 'Both are taken for two days', {
    path,
    body: { overlap_hours: 48 },
  })
  await ask(`POST ${KEYS}/{id}/revoke`, 'Ended', { path })
}

const ADJUST = 'POST /v1/loyalty/transactions'
const APPROVALS = '/v1/approvals'

/** A key above its limit, and the owner who answers. */
export async function approvals({ ask, shop }: Book): Promise<void> {
  const tool = await ask(`POST ${KEYS}`, 'For a back office', {
    body: { name: 'Back office', scopes: ['transactions:write', 'approvals:read'] },
  })
  await ask('PUT /v1/settings', 'A key’s limit', {
    body: { [`approvals.${tool.id}.points`]: 500 },
  })
  const headers = { 'X-Api-Key': tool.secret }
  const waiting = (name: string) =>
    ask(ADJUST, name, {
      headers,
      body: { account: 'loy_9f2k', amount: 750, reason: 'goodwill' },
    })
  const owner = await person(shop, 'owner')
  const byOwner = {
    Cookie: owner.cookies[0] ?? '',
    'Vinr-Workspace': shop.workspace,
    'Vinr-Csrf-Token': owner.csrf,
  }
  const first = { id: (await waiting('Above the key’s limit')).id }
  await ask(`GET ${APPROVALS}`, 'What waits', { query: { status: 'pending', limit: 1 } })
  await ask(`GET ${APPROVALS}/{id}`, 'An adjustment', { path: first })
  await ask(`POST ${APPROVALS}/{id}/approve`, 'By the key that made the asker', {
    path: first,
    refused: 409,
  })
  await ask(`POST ${APPROVALS}/{id}/approve`, 'By an owner', {
    path: first,
    headers: byOwner,
    body: { note: 'As agreed with the customer.' },
  })
  const second = { id: (await waiting('Once more')).id }
  await ask(`POST ${APPROVALS}/{id}/decline`, 'Not a second time', {
    path: second,
    headers: byOwner,
    body: { note: 'It was given already.' },
  })
  const third = { id: (await waiting('A third time')).id }
  await ask(`POST ${APPROVALS}/{id}/withdraw`, 'By the asker', { path: third, headers })
}

const MEMBERS = '/v1/team_members'
const MEMBERSHIPS = '/v1/memberships'

/** People of the workspace, and what they are there. */
export async function people({ ask, shop }: Book): Promise<void> {
  const invited = await ask(`POST ${MEMBERS}`, 'For support', {
    body: { email: 'mira@shop.example', role: 'support' },
  })
  const path = { id: invited.id }
  await ask(`POST ${MEMBERS}`, 'Somebody who was invited', {
    body: { email: 'mira@shop.example', role: 'support' },
    refused: 400,
  })
  const { invitation } = await ask(`POST ${MEMBERS}/{id}/invite`, 'Once more', { path })
  const { token } = invitation
  const headers = {} // a browser has no key
  await ask('POST /v1/sessions', 'An invitation', {
    headers,
    body: { token, password: PASSWORD, name: 'Mira' },
  })
  await ask(`GET ${MEMBERS}`, 'All', { query: { role: 'support' } })
  await ask(`GET ${MEMBERS}/{id}`, 'A person', { path })
  await ask(`POST ${MEMBERS}/{id}/reset_password`, 'By a link', { path })
  await ask(`PATCH ${MEMBERS}/{id}`, 'Disabled', { path, body: { status: 'disabled' } })
  const membership = { id: invited.membership }
  await ask(`GET ${MEMBERSHIPS}`, 'Of support', { query: { role: 'support' } })
  await ask(`GET ${MEMBERSHIPS}/{id}`, 'A membership', { path: membership })
  await ask(`PATCH ${MEMBERSHIPS}/{id}`, 'Another role', {
    path: membership,
    body: { role: 'marketing' },
  })
  await sessions({ ask, shop })
  await ask(`DELETE ${MEMBERSHIPS}/{id}`, 'Removed', { path: membership })
}

async function sessions({ ask, shop }: Pick<Book, 'ask' | 'shop'>): Promise<void> {
  const body = { email: 'mira@shop.example', password: PASSWORD }
  await ask('POST /v1/sessions', 'A password', { headers: {}, body })
  await ask('POST /v1/sessions', 'A wrong password', {
    headers: {},
    body: { ...body, password: 'something else entirely' },
    refused: 401,
  })
  await ask('POST /v1/sessions/oidc', 'To the provider', { headers: {}, body: {} })
  const mira = asPerson(shop, await signIn(shop, body))
  const headers = { Cookie: mira.cookies[0] ?? '', 'Vinr-Csrf-Token': mira.csrf }
  await ask('GET /v1/sessions', 'One’s own', { headers })
  await ask('GET /v1/sessions/current', 'This one', { headers })
  await ask('PATCH /v1/sessions/current', 'Another name', { headers, body: { name: 'Mira K.' } })
  await ask('POST /v1/sessions/change_password', 'Another password', {
    headers,
    body: { current_password: PASSWORD, new_password: 'an even longer password' },
  })
  await ask('POST /v1/sessions/change_password', 'Without its token', {
    headers: { Cookie: headers.Cookie },
    body: { current_password: PASSWORD, new_password: 'an even longer password' },
    refused: 403,
  })
  const again = asPerson(
    shop,
    await signIn(shop, { ...body, password: 'an even longer password' }, mira.cookies.slice(1)),
  )
  const { id } = await ask('GET /v1/sessions/current', 'In another browser', {
    headers: { Cookie: again.cookies[0] ?? '' },
  })
  await ask('DELETE /v1/sessions/{id}', 'That browser', { path: { id }, headers })
  await ask('DELETE /v1/sessions/current', 'Signed out', { headers })
  const last = asPerson(
    shop,
    await signIn(shop, { ...body, password: 'an even longer password' }, mira.cookies.slice(1)),
  )
  await ask('POST /v1/sessions/sign_out_everywhere', 'Everywhere', {
    headers: { Cookie: last.cookies[0] ?? '', 'Vinr-Csrf-Token': last.csrf },
  })
}
