import { z } from 'zod'
import { inPoints, notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { databaseNow } from '../../db/clock.ts'
import { readTransaction } from '../../db/from-ledger.ts'
import { findTransaction } from '../../db/transactions.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { metadata, text } from '../schemas/text.ts'
import { presentTransaction, Transaction } from '../schemas/transactions.ts'
import { endpoint } from '../server/endpoint.ts'

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
    const { workspace, params, body, operation, fingerprint, deps } = ctx
    const before = await findTransaction(deps.pool, workspace, params.id)
    if (before === undefined) return notFound('transaction', params.id)
    const at = (await databaseNow(deps.pool)).toISOString()
    const ask = { workspace, transaction: params.id, ...body, operation, fingerprint, at }
    const result = await retryOnConflict(() => deps.commands.reverseTransaction(ask))
    if (result.refusal !== undefined) {
      const decimals = await deps.decimals.ofProgram(workspace, before.program)
      throw new Refused(inPoints(result.refusal, decimals))
    }
    if (result.transaction === undefined) return notFound('transaction', params.id)
    const row = readTransaction(result.transaction)
    const replayed = result.outcome === 'replayed'
    if (replayed && row.fingerprint !== fingerprint) {
      refuse('idempotency_key_reused', 'This Idempotency-Key was used with another request.')
    }
    return { status: 'created', replayed, object: await presentTransaction(deps, ctx, row) }
  },
})
