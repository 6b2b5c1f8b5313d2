import { z } from 'zod'
import { write } from '../contention.ts'
import { Account } from '../schemas/accounts.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { presentChanged } from './changed.ts'

const path = '/v1/loyalty/accounts/{id}/reopen'

export const reopenAccount = endpoint({
  method: 'POST',
  path,
  summary: 'Reopen a closed member',
  description: 'Refused where the customer has another active account in the program.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  body: z.strictObject({}),
  reply: Account,
  errors: [
    'resource_missing',
    'account_already_exists',
    'account_merged',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, deps } = ctx
    const request = identityOf(`POST ${path}`, ctx)
    const changed = await write(() => deps.commands.reopenAccount(request, params.id))
    return presentChanged(ctx, params.id, changed)
  },
})
