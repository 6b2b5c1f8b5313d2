import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { postTransaction } from '../../app/transactions.ts'
import { findTransaction, listTransactions as readTransactions } from '../../db/transactions.ts'
import { TRANSACTION_TYPES, transactionObject } from '../../domain/objects/transaction.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { text } from '../schemas/text.ts'
import {
  NewTransaction,
  presentTransaction,
  presentTransactions,
  Transaction,
} from '../schemas/transactions.ts'
import { endpoint } from '../server/endpoint.ts'

export const createTransaction = endpoint({
  method: 'POST',
  path: '/v1/loyalty/transactions',
  summary: 'Adjust points by hand',
  description:
    "Positive credits, negative debits; fractions are rounded by the program's mode. Never below zero.",
  tags: ['transactions'],
  key: 'secret',
  body: NewTransaction,
  reply: Transaction,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'insufficient_points',
    'account_closed',
    'invalid_precision',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { livemode, body, deps } = ctx
    const { row, replayed, decimals } = await postTransaction(deps, ctx, body)
    const object =
      decimals === undefined
        ? await presentTransaction(deps, ctx, row)
        : transactionObject(row, { decimals, livemode })
    return { status: 'created', replayed, object }
  },
})

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
