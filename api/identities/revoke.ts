import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { Identity } from '../objects/identity.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../values/id.ts'
import { presentIdentity } from './present.ts'

export const revokeIdentity = endpoint({
  method: 'DELETE',
  path: '/v1/loyalty/identities/{id}',
  summary: 'Revoke one way a member is recognised',
  description: 'At once and for good; the same external id or phone may be registered anew.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('idn'),
  reply: Identity,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await write(() => deps.activities.revokeIdentity(workspace, params.id))
    if (row === undefined) return notFound('identity', params.id)
    return { status: 'ok', object: presentIdentity(row, livemode) }
  },
})
