import { findTransaction } from '../../db/transactions.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { presentTransaction, Transaction } from '../schemas/transactions.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveTransaction = endpoint({
  method: 'GET',
  path: '/v1/loyalty/transactions/{id}',
  summary: 'Retrieve a transaction',
  tags: ['transactions'],
  key: 'secret',
  params: idPath('ptx'),
  reply: Transaction,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findTransaction(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('transaction', ctx.params.id)
    return { status: 'ok', object: await presentTransaction(ctx.deps, ctx, row) }
  },
})
