import { z } from 'zod'
import { approvalOfAdjustment } from '../../app/approval-requests.ts'
import { notFound } from '../../app/refusals.ts'
import {
  postTransaction,
  postTransactions,
  reverseTransaction as undo,
} from '../../app/transactions.ts'
import { findTransaction, listTransactions as readTransactions } from '../../db/transactions.ts'
import { TRANSACTION_TYPES, transactionObject } from '../../domain/transaction.ts'
import { Approval } from '../schemas/approvals.ts'
import { batchTag } from '../schemas/bulks.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { metadata, text } from '../schemas/text.ts'
import {
  NewTransaction,
  presentTransaction,
  presentTransactions,
  Transaction,
} from '../schemas/transactions.ts'
import { created, waiting } from '../server/declaration.ts'
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
  waits: Approval,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'insufficient_points',
    'account_closed',
    'invalid_precision',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { livemode, body, deps, operation } = ctx
    const adjustment = { operation, movements: [body], single: true }
    const approval = await approvalOfAdjustment(deps, ctx, adjustment)
    if (approval !== undefined) return waiting(approval, ctx)
    const { decimals, ...posted } = await postTransaction(deps, ctx, body)
    return created(posted, (row) =>
      decimals === undefined
        ? presentTransaction(deps, ctx, row)
        : transactionObject(row, { decimals, livemode }),
    )
  },
})

const path = '/v1/loyalty/transactions'

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
    batch: batchTag.optional(),
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
  waits: Approval,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'insufficient_points',
    'account_closed',
    'invalid_precision',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { operation, body } = ctx
    const adjustment = { operation, movements: body.transactions, single: false }
    const approval = await approvalOfAdjustment(ctx.deps, ctx, adjustment)
    if (approval !== undefined) return waiting(approval, ctx)
    const posted = await postTransactions(ctx.deps, ctx, body.transactions)
    return created(posted, async (rows) => ({
      object: 'list' as const,
      data: await presentTransactions(ctx.deps, ctx, rows),
    }))
  },
})

const LONGEST_REASON = 200

const TransactionReversal = z
  .strictObject({
    reason: text(LONGEST_REASON).default('reversal'),
    metadata: metadata.default({}),
  })
  .meta({ id: 'TransactionReversal' })

export const reverseTransaction = endpoint({
  method: 'POST',
  path: '/v1/loyalty/transactions/{id}/reverse',
  summary: 'Undo an earning or an adjustment',
  description:
    'Once, by an offsetting row. A credit that is spent already is undone only where the program lets a clawback go below zero; points of it that have expired are not taken again.',
  tags: ['transactions'],
  key: 'secret',
  params: idPath('ptx'),
  body: TransactionReversal,
  reply: Transaction,
  successCodes: [201, 200],
  errors: ['resource_missing', 'not_reversible', 'insufficient_points', 'idempotency_key_reused'],
  handle: async (ctx) => {
    const { params, body, deps } = ctx
    const reversed = await undo(deps, ctx, params.id, body)
    return created(reversed, (row) => presentTransaction(deps, ctx, row))
  },
})
