import { z } from 'zod'
import { createRefund as refund } from '../../app/payments.ts'
import { notFound } from '../../app/refusals.ts'
import { findRefund, listRefunds as readRefunds } from '../../db/refunds.ts'
import { newId } from '../../domain/ids.ts'
import { refundObject } from '../../domain/refund.ts'
import { id, refundId } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { NewRefund, Refund } from '../schemas/payments.ts'
import { created } from '../server/declaration.ts'
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
  handle: async (ctx) => {
    const { livemode, body, deps } = ctx
    const made = await refund(deps, {
      ...ctx.request,
      refund: newId('re'),
      payment: body.payment,
      amount: body.amount ?? null,
      reason: body.reason ?? null,
      returnRedemption: body.return_redemption,
      storeCredit: body.store_credit ?? 0,
      metadata: body.metadata,
      event: newId('evt'),
    })
    return created(made, (row) => refundObject(row, livemode))
  },
})

const path = '/v1/refunds'

export const listRefunds = endpoint({
  method: 'GET',
  path,
  summary: 'List refunds',
  description: 'Disputes, which take points back as refunds do, are among them.',
  tags: ['payments'],
  key: 'secret',
  query: listQuery(refundId, { payment: id('pay').optional() }),
  reply: listReply(Refund),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const filter = { payment: query.payment }
    const { rows, hasMore } = await readRefunds(deps.pool, workspace, filter, pageOf(query))
    const data = rows.map((row) => refundObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

export const retrieveRefund = endpoint({
  method: 'GET',
  path: '/v1/refunds/{id}',
  summary: 'Retrieve a refund',
  description: "Or a dispute: by our id, or the provider's.",
  tags: ['payments'],
  key: 'secret',
  params: z.strictObject({ id: refundId }),
  reply: Refund,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findRefund(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('refund', params.id)
    return { status: 'ok', object: refundObject(row, livemode) }
  },
})
