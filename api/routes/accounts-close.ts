import { z } from 'zod'
import { Account, presentAccount } from '../schemas/accounts.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { updated } from '../server/replies.ts'

export const closeAccount = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/close',
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
    const changed = await deps.commands.closeAccount(ctx.request, params.id)
    return updated(changed, (row) => presentAccount(deps, ctx, row))
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
    const changed = await deps.commands.reopenAccount(ctx.request, params.id)
    return updated(changed, (row) => presentAccount(deps, ctx, row))
  },
})
