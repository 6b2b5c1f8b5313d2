import { z } from 'zod'
import { listTransactions as readTransactions } from '../../db/transactions.ts'
import { id } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { text } from '../schemas/text.ts'
import { presentTransactions, TRANSACTION_TYPES, Transaction } from '../schemas/transactions.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/loyalty/transactions'
const LONGEST_BATCH = 500 // as a metadata value

export const listTransactions = endpoint({
  method: 'GET',
  path,
  summary: 'List transactions',
  tags: ['transactions'],
  key: 'secret',
  query: listQuery('ptx', {
    account: id('loy').optional(),
    type: z.enum(TRANSACTION_TYPES).optional(),
    program: id('prog').optional(),
    payment: id('pay').optional(),
    redemption: id('rdm').optional(),
    batch: text(LONGEST_BATCH).optional(),
  }),
  reply: listReply(Transaction),
  errors: [],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const { account, type, program, payment, redemption, batch } = query
    const filter = { account, type, program, payment, redemption, batch }
    const { rows, hasMore } = await readTransactions(deps.pool, workspace, filter, pageOf(query))
    return {
      status: 'ok',
      object: listOf(path, await presentTransactions(deps, ctx, rows), hasMore),
    }
  },
})
