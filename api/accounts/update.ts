import { write } from '../contention.ts'
import { Account, AccountUpdate } from '../schemas/accounts.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { presentChanged } from './changed.ts'

const path = '/v1/loyalty/accounts/{id}'

export const updateAccount = endpoint({
  method: 'PATCH',
  path,
  summary: 'Update a member',
  description: 'Links a customer, or sets metadata by key. Fields not named stay.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  body: AccountUpdate,
  reply: Account,
  errors: [
    'resource_missing',
    'account_already_exists',
    'account_merged',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, body, deps } = ctx
    const request = identityOf(`PATCH ${path}`, ctx)
    const changed = await write(() => deps.commands.updateAccount(request, params.id, body))
    return presentChanged(ctx, params.id, changed)
  },
})
