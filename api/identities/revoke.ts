import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { Identity, presentIdentity } from '../schemas/identities.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

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
    const request = identityOf('DELETE /v1/loyalty/identities/{id}', ctx)
    const { value: row, replayed } = await write(() =>
      deps.commands.revokeIdentity(request, params.id),
    )
    if (row === undefined) return notFound('identity', params.id)
    return { status: 'ok', replayed, object: presentIdentity(row, livemode) }
  },
})
