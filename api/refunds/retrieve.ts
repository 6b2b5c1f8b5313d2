import { z } from 'zod'
import { findRefund } from '../../db/refunds.ts'
import { refundObject } from '../../domain/objects/refund.ts'
import { notFound } from '../points-refusal.ts'
import { refundId } from '../schemas/ids.ts'
import { Refund } from '../schemas/refunds.ts'
import { endpoint } from '../server/endpoint.ts'

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
