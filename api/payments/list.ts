import { z } from 'zod'
import { listPayments as readPayments } from '../../db/payments.ts'
import { paymentObject } from '../../domain/objects/payment.ts'
import { customerId } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { Payment, SHOWN_STATUSES } from '../schemas/payments.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/payments'

export const listPayments = endpoint({
  method: 'GET',
  path,
  summary: 'List payments',
  tags: ['payments'],
  key: 'secret',
  query: listQuery('pay', {
    customer: customerId.optional(),
    status: z.enum(SHOWN_STATUSES).optional(),
  }),
  reply: listReply(Payment),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { customer, status } = query
    const filter = { customer, status }
    const { rows, hasMore } = await readPayments(deps.pool, workspace, filter, pageOf(query))
    const data = rows.map((row) => paymentObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})
