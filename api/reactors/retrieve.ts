import { findReactor } from '../../db/reactors.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Reactor, reactorObject } from '../schemas/reactors.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveReactor = endpoint({
  method: 'GET',
  path: '/v1/reactors/{id}',
  summary: 'Retrieve a reactor',
  tags: ['tills'],
  key: 'secret',
  params: idPath('rct'),
  reply: Reactor,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findReactor(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('reactor', params.id)
    return { status: 'ok', object: reactorObject(row, livemode) }
  },
})
