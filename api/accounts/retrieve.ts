import { findAccount } from '../../db/accounts.ts'
import { endpoint } from '../endpoint.ts'
import { Account } from '../objects/account.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../values/id.ts'
import { presentAccount } from './present.ts'

export const retrieveAccount = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}',
  summary: 'Retrieve a member',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  reply: Account,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findAccount(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('account', ctx.params.id)
    return { status: 'ok', object: await presentAccount(ctx.deps, ctx, row) }
  },
})
