import { findPayment } from '../../db/payments.ts'
import { paymentObject } from '../../domain/objects/payment.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Payment } from '../schemas/payments.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrievePayment = endpoint({
  method: 'GET',
  path: '/v1/payments/{id}',
  summary: 'Retrieve a payment',
  tags: ['payments'],
  key: 'secret',
  params: idPath('pay'),
  reply: Payment,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findPayment(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('payment', params.id)
    return { status: 'ok', object: paymentObject(row, livemode) }
  },
})
