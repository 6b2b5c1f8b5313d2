import { z } from 'zod'
import { reverseTransaction as undo } from '../../app/transactions.ts'
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
    const { params, body, deps } = ctx
    const { row, replayed } = await undo(deps, ctx, params.id, body)
    return { status: 'created', replayed, object: await presentTransaction(deps, ctx, row) }
  },
})
