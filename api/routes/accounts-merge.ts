import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { Account, AccountMerge } from '../schemas/accounts.ts'
import { endpoint } from '../server/endpoint.ts'
import { presentChanged } from './accounts.ts'

export const mergeAccounts = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/merge',
  summary: 'Merge two members for good',
  description:
    'Balance, points with their dates, lifetime points and redemptions of `source` go to `target`, which is answered. ' +
    'What names the source later reaches the target. Repeating it changes nothing.',
  tags: ['accounts'],
  key: 'secret',
  body: AccountMerge,
  reply: Account,
  errors: [
    'resource_missing',
    'account_merged',
    'account_closed',
    'redemptions_in_flight',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { source, target } = ctx.body
    const merged = await retryOnConflict(() =>
      ctx.deps.commands.mergeAccounts(ctx.request, source, target),
    )
    return presentChanged(ctx, target, merged)
  },
})
