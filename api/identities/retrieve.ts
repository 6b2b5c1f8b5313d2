import { findIdentity } from '../../db/identities.ts'
import { Identity } from '../objects/identity.ts'
import { notFound } from '../points-refusal.ts'
import { endpoint } from '../server/endpoint.ts'
import { idPath } from '../values/id.ts'
import { presentIdentity } from './present.ts'

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
