import { z } from 'zod'
import { inPoints, missing, notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { movementUnits } from '../../app/units.ts'
import { findAccount } from '../../db/accounts.ts'
import { databaseNow } from '../../db/clock.ts'
import { readTransaction } from '../../db/from-ledger.ts'
import { findProgram } from '../../db/programs.ts'
import {
  findTransaction,
  isPosted,
  listTransactions as readTransactions,
} from '../../db/transactions.ts'
import { TRANSACTION_TYPES, transactionObject } from '../../domain/objects/transaction.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
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
  handle: async ({ workspace, livemode, body, operation, fingerprint, deps }) => {
    const { pool, commands } = deps
    const account = await findAccount(pool, workspace, body.account)
    if (account === undefined) return missing('account', body.account)
    const now = await databaseNow(pool)
    const isPast = body.expires_at !== undefined && body.expires_at <= now
    if (isPast && !(await isPosted(pool, workspace, operation))) {
      refuse('parameter_invalid', 'expires_at: must be in the future.', { param: 'expires_at' })
    }

    // the program is read at each try: its decimals may change until its first transaction
    const { result, decimals } = await retryOnConflict(async () => {
      const program = await findProgram(pool, workspace, account.program)
      if (program === undefined) throw new Error(`no program ${account.program}`)
      const { decimals, rounding } = program
      const posted = await commands.postTransaction({
        workspace,
        account: account.id,
        type: body.type,
        amount: movementUnits('amount', body.amount, decimals, rounding),
        decimals,
        reason: body.reason,
        operation,
        fingerprint,
        at: now.toISOString(),
        expiresAt: body.expires_at?.toISOString() ?? null,
        batch: body.metadata.batch ?? null,
        source: null,
        metadata: body.metadata,
        allowNegative: false,
      })
      return { result: posted, decimals }
    })
    if (result.refusal !== undefined) throw new Refused(inPoints(result.refusal, decimals))
    if (result.transaction === undefined) return missing('account', body.account)

    const row = readTransaction(result.transaction)
    const replayed = result.outcome === 'replayed'
    if (replayed && row.fingerprint !== fingerprint) {
      refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
    }
    const object = replayed
      ? await presentTransaction(deps, { workspace, livemode }, row)
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
