import { z } from 'zod'
import { write } from '../contention.ts'
import { Account } from '../schemas/accounts.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { presentChanged } from './accounts.ts'

const path = '/v1/loyalty/accounts/{id}/close'

export const closeAccount = endpoint({
  method: 'POST',
  path,
  summary: 'Close a member',
  description:
    'The history stays. A closed account neither earns nor spends; a redemption still pending ends by its payment, its cancel or its deadline, and points still expire.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  body: z.strictObject({}),
  reply: Account,
  errors: [
    'resource_missing',
    'account_merged',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, deps } = ctx
    const request = identityOf(`POST ${path}`, ctx)
    const changed = await write(() => deps.commands.closeAccount(request, params.id))
    return presentChanged(ctx, params.id, changed)
  },
})

export const reopenAccount = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/reopen',
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
    const request = identityOf(`POST /v1/loyalty/accounts/{id}/reopen`, ctx)
    const changed = await write(() => deps.commands.reopenAccount(request, params.id))
    return presentChanged(ctx, params.id, changed)
  },
})
