import { findIdentity } from '../../db/identities.ts'
import { notFound } from '../points-refusal.ts'
import { Identity, presentIdentity } from '../schemas/identities.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'

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
