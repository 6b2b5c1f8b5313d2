import { z } from 'zod'
import { postTransactions } from '../../app/transactions.ts'
import { NewTransaction, presentTransactions, Transaction } from '../schemas/transactions.ts'
import { endpoint } from '../server/endpoint.ts'

const MOST = 1_000

const TransactionBatch = z
  .strictObject({ transactions: z.array(NewTransaction).min(1).max(MOST) })
  .meta({ id: 'TransactionBatch' })

const Posted = z
  .object({ object: z.literal('list'), data: z.array(Transaction) })
  .meta({ id: 'PostedTransactions', description: 'In the order they were sent.' })

export const createTransactions = endpoint({
  method: 'POST',
  path: '/v1/loyalty/transactions/batch',
  summary: 'Adjust points of many members at once',
  description: `Up to ${MOST}, all of them or none; a refusal names its row in \`param\`.`,
  tags: ['transactions'],
  key: 'secret',
  body: TransactionBatch,
  bodyLimit: '4mb',
  reply: Posted,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'insufficient_points',
    'account_closed',
    'invalid_precision',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { rows, replayed } = await postTransactions(ctx.deps, ctx, ctx.body.transactions)
    const data = await presentTransactions(ctx.deps, ctx, rows)
    return { status: 'created', replayed, object: { object: 'list' as const, data } }
  },
})
