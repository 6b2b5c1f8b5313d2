import { z } from 'zod'
import { findReactor } from '../../db/reactors.ts'
import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { notFound } from '../points-refusal.ts'
import { id, idPath } from '../values/id.ts'

export const deleteReactor = endpoint({
  method: 'DELETE',
  path: '/v1/reactors/{id}',
  summary: 'Delete a reactor',
  description: 'It acts no more. What it did stays, and its transactions still name it.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('rct'),
  reply: z
    .object({ id: id('rct'), object: z.literal('reactor'), deleted: z.literal(true) })
    .meta({ id: 'ReactorDeleted' }),
  errors: ['resource_missing'],
  handle: async ({ workspace, params, deps }) => {
    const row = await findReactor(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('reactor', params.id)
    await write(() => deps.activities.deleteReactor({ workspace, id: params.id }))
    const object = { id: row.id, object: 'reactor' as const, deleted: true as const }
    return { status: 'ok', object }
  },
})
