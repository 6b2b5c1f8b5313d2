import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { databaseNow } from '../../db/clock.ts'
import { listTransactions } from '../../db/transactions.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { idPath } from '../schemas/ids.ts'
import { presentTransactions, Transaction } from '../schemas/transactions.ts'
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
    const { value: result, replayed } = await retryOnConflict(() =>
      deps.commands.replayAward(ctx.request, { workspace, payment: params.id, at }),
    )
    if (result?.outcome === 'missing') return notFound('payment', params.id)
    if (result?.refusal !== undefined) throw new Refused(refusalSentence(result.refusal))
    if (result?.outcome === 'open') {
      const status = result.payment?.status
      refuse('resource_changed', `The payment is ${status}: only a completed one earns.`, {
        fields: { status },
      })
    }
    const filter = { payment: params.id, type: 'earn' as const }
    const { rows } = await listTransactions(deps.pool, workspace, filter, { limit: MOST })
    const transactions = await presentTransactions(deps, ctx, rows)
    const object = { object: 'payment_award' as const, payment: params.id, transactions }
    return { status: 'ok', replayed, object }
  },
})
