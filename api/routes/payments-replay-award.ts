import { z } from 'zod'
import { databaseNow } from '../../db/clock.ts'
import { listTransactions } from '../../db/transactions.ts'
import { idPath } from '../schemas/ids.ts'
import { presentTransactions, Transaction } from '../schemas/transactions.ts'
import { updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

const MOST = 100 // more rules than ever match one payment

export const replayAward = endpoint({
  method: 'POST',
  path: '/v1/payments/{id}/replay_award',
  summary: 'Award the points of a completed payment again',
  description:
    'For a member that was added afterwards: members are judged as they are now, rules at the time of completion. Each rule still earns once for each account, so that a repeat changes nothing.',
  tags: ['payments'],
  key: 'secret',
  params: idPath('pay'),
  body: z.strictObject({}),
  reply: z
    .object({
      object: z.literal('payment_award'),
      payment: z.string(),
      transactions: z
        .array(Transaction)
        .meta({ description: 'What the payment has earned so far, newest first.' }),
    })
    .meta({ id: 'PaymentAward' }),
  errors: [
    'resource_missing',
    'resource_changed',
    'account_closed',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, params, deps } = ctx
    const at = (await databaseNow(deps.pool)).toISOString()
    const command = { workspace, payment: params.id, at }
    const awarded = await deps.commands.replayAward(ctx.request, command)
    return updated(awarded, async (payment) => {
      const filter = { payment, type: 'earn' as const }
      const { rows } = await listTransactions(deps.pool, workspace, filter, { limit: MOST })
      const transactions = await presentTransactions(deps, ctx, rows)
      return { object: 'payment_award' as const, payment, transactions }
    })
  },
})
