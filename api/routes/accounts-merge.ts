import { Account, AccountMerge, presentAccount } from '../schemas/accounts.ts'
import { endpoint } from '../server/endpoint.ts'
import { updated } from '../server/replies.ts'

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
    const merged = await ctx.deps.commands.mergeAccounts(ctx.request, source, target)
    return updated(merged, (row) => presentAccount(ctx.deps, ctx, row))
  },
})
