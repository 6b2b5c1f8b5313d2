import { notFound } from '../../app/refusals.ts'
import { findAccount } from '../../db/accounts.ts'
import { listTierChanges as readTierChanges } from '../../db/tiers.ts'
import {
  Account,
  AccountTier,
  presentAccount,
  presentTierChange,
  TierChange,
} from '../schemas/accounts.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

export const setAccountTier = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/set_tier',
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
    const changed = await deps.commands.setAccountTier(ctx.request, params.id, tier, reason)
    return updated(changed, (row) => presentAccount(deps, ctx, row))
  },
})

export const listTierChanges = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/tier_changes',
  summary: 'List the changes of a member’s tier',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  query: listQuery('tch', {}),
  reply: listReply(TierChange),
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, query, deps }) => {
    const { id } = params
    if ((await findAccount(deps.pool, workspace, id)) === undefined) return notFound('account', id)
    const { rows, hasMore } = await readTierChanges(deps.pool, workspace, id, pageOf(query, id))
    const data = rows.map((row) => presentTierChange(row, id, livemode))
    return {
      status: 'ok',
      object: listOf(`/v1/loyalty/accounts/${id}/tier_changes`, data, hasMore),
    }
  },
})
