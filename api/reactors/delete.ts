import { z } from 'zod'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { id, idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

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
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { params, deps } = ctx
    const request = identityOf('DELETE /v1/reactors/{id}', ctx)
    const { value, replayed } = await write(() => deps.commands.deleteReactor(request, params.id))
    if (value === undefined) return notFound('reactor', params.id)
    const object = { id: value, object: 'reactor' as const, deleted: true as const }
    return { status: 'ok', replayed, object }
  },
})
