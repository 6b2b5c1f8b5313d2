import { findAccountView } from '../../db/account-view.ts'
import { notFound } from '../points-refusal.ts'
import { Account, presentView } from '../schemas/accounts.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'

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
    const view = await findAccountView(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (view === undefined) return notFound('account', ctx.params.id)
    return { status: 'ok', object: await presentView(ctx.deps, ctx, view) }
  },
})
