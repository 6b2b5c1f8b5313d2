import { write } from '../contention.ts'
import { Account, AccountTier } from '../schemas/accounts.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { presentChanged } from './changed.ts'

const path = '/v1/loyalty/accounts/{id}/set_tier'

export const setAccountTier = endpoint({
  method: 'POST',
  path,
  summary: 'Give a member a tier by hand',
  description: 'Only in programs whose tiers are custom; null takes the tier away.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  body: AccountTier,
  reply: Account,
  errors: [
    'resource_missing',
    'account_merged',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, body, deps } = ctx
    const { tier, reason = null } = body
    const request = identityOf(`POST ${path}`, ctx)
    const changed = await write(() =>
      deps.commands.setAccountTier(request, params.id, tier, reason),
    )
    return presentChanged(ctx, params.id, changed)
  },
})
