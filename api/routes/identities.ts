import type { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { findAccount } from '../../db/accounts.ts'
import {
  findIdentity,
  type IdentityRow,
  type NewIdentity as NewRow,
  listIdentities as readIdentities,
} from '../../db/members.ts'
import { cardHash, deviceSecret, issuedCardToken, phoneHash } from '../../domain/identity.ts'
import { fingerprintOf, newId } from '../../domain/ids.ts'
import { Identity, NewIdentity, presentIdentity } from '../schemas/identities.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

type IdentityBody = z.output<typeof NewIdentity>

export const registerIdentity = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/identities',
  summary: 'Register how a member is recognised at a till',
  description:
    'The same on the same member answers with the one there is; another member’s is refused. A card’s new token and a device’s secret are in the answer to this request, and to its repeats with the same key, and nowhere else.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('loy'),
  body: NewIdentity,
  reply: Identity,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'account_already_exists',
    'account_merged',
    'account_closed',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    const key = await deps.memberKey(workspace)
    const id = newId('idn')
    const value = keptValue(key, id, body)
    const label = body.label ?? null
    // Of what is kept, never of the body: a plain hash of a phone's number tells it by trial.
    const fingerprint = fingerprintOf([params.id, body.kind, isIssued(body) ? null : value, label])
    const request = { ...ctx.request, fingerprint }
    const row: NewRow = { id, account: params.id, kind: body.kind, value, label }
    const made = await deps.commands.registerIdentity(request, row, fieldOf(body))
    return created(made, (row) => ({
      ...presentIdentity(row, livemode),
      ...shownOnce(key, body, row),
    }))
  },
})

function keptValue(key: Buffer, id: string, body: IdentityBody): string {
  if (body.kind === 'external_id') return body.external_id
  if (body.kind === 'device') return id
  if (body.kind === 'card') return cardHash(key, body.token ?? issuedCardToken(key, id))
  return phoneHash(key, 'phone' in body ? body.phone : body.phone_hash)
}

/** The field that says what the member is recognised by. */
function fieldOf(body: IdentityBody): string {
  if (body.kind === 'card') return 'token'
  return body.kind === 'phone' && 'phone_hash' in body ? 'phone_hash' : body.kind
}

const isIssued = (body: IdentityBody): boolean =>
  body.kind === 'device' || (body.kind === 'card' && body.token === undefined)

function shownOnce(key: Buffer, body: IdentityBody, { id }: IdentityRow) {
  if (!isIssued(body)) return {}
  return body.kind === 'card'
    ? { token: issuedCardToken(key, id) }
    : { secret: deviceSecret(key, id).toString('base64url') }
}

export const listIdentities = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/identities',
  summary: 'List how a member is recognised',
  description: 'Revoked ones too, and those of members merged into this one.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('loy'),
  query: listQuery('idn', {}),
  reply: listReply(Identity),
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, query, deps }) => {
    const account = await findAccount(deps.pool, workspace, params.id)
    if (account === undefined) return notFound('account', params.id)
    const page = await readIdentities(deps.pool, workspace, params.id, pageOf(query, params.id))
    const data = page.rows.map((row) => presentIdentity(row, livemode))
    const url = `/v1/loyalty/accounts/${params.id}/identities`
    return { status: 'ok', object: listOf(url, data, page.hasMore) }
  },
})

export const retrieveIdentity = endpoint({
  method: 'GET',
  path: '/v1/loyalty/identities/{id}',
  summary: 'Retrieve one way a member is recognised',
  tags: ['tills'],
  key: 'secret',
  params: idPath('idn'),
  reply: Identity,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findIdentity(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('identity', params.id)
    return { status: 'ok', object: presentIdentity(row, livemode) }
  },
})

export const revokeIdentity = endpoint({
  method: 'DELETE',
  path: '/v1/loyalty/identities/{id}',
  summary: 'Revoke one way a member is recognised',
  description: 'At once and for good; the same external id or phone may be registered anew.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('idn'),
  reply: Identity,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { livemode, params, deps } = ctx
    const changed = await deps.commands.revokeIdentity(ctx.request, params.id)
    return updated(changed, (row) => presentIdentity(row, livemode))
  },
})
