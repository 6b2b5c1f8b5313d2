import { readRefund } from '../../db/from-ledger.ts'
import { newId } from '../../domain/ids.ts'
import { refundObject } from '../../domain/objects/refund.ts'
import { Refused } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { write } from '../contention.ts'
import { missing } from '../points-refusal.ts'
import { NewRefund, Refund } from '../schemas/refunds.ts'
import { endpoint } from '../server/endpoint.ts'

export const createRefund = endpoint({
  method: 'POST',
  path: '/v1/refunds',
  summary: 'Refund a payment',
  description:
    'A completed sandbox payment, all of it or a part. The points it earned are taken back in proportion; those of its redemptions return only with `return_redemption`, and where they paid it all that is a refund of 0, once. Store credit that it spent goes back to the wallet where all the money is refunded, or as `store_credit` says.',
  tags: ['payments'],
  key: 'secret',
  body: NewRefund,
  reply: Refund,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'not_reversible',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async ({ workspace, livemode, body, idempotencyKey, fingerprint, deps }) => {
    const result = await write(() =>
      deps.commands.createRefund({
        workspace,
        refund: newId('re'),
        payment: body.payment,
        amount: body.amount ?? null,
        reason: body.reason ?? null,
        returnRedemption: body.return_redemption,
        storeCredit: body.store_credit ?? 0,
        metadata: body.metadata,
        route: 'POST /v1/refunds',
        key: idempotencyKey ?? null,
        fingerprint,
        event: newId('evt'),
      }),
    )
    if (result.refusal?.code === 'resource_missing') return missing('payment', body.payment)
    if (result.refusal !== undefined) throw new Refused(refusalSentence(result.refusal))
    if (result.refund === undefined) throw new Error(`${result.outcome} without a refund`)
    const replayed = result.outcome === 'replayed'
    return {
      status: 'created',
      replayed,
      object: refundObject(readRefund(result.refund), livemode),
    }
  },
})
