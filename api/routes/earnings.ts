import { missing, notFound } from '../../app/refusals.ts'
import { readEarningPreview, readPaymentEarnings } from '../../db/earnings.ts'
import {
  EarningPreview,
  NewEarningPreview,
  PaymentEarnings,
  presentPaymentEarnings,
  presentPreview,
} from '../schemas/earnings.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'

const explainEarnings = endpoint({
  method: 'GET',
  path: '/v1/payments/{id}/earnings',
  summary: 'Ask why a payment earned what it did',
  description:
    'Each earning with its rule as it was, the caps, the rounding, what refunds took back and the transactions; then each rule of then that gave nothing, with the first reason why not.',
  tags: ['payments'],
  key: 'secret',
  params: idPath('pay'),
  reply: PaymentEarnings,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const earnings = await readPaymentEarnings(deps.pool, workspace, params.id)
    if (earnings === null) return notFound('payment', params.id)
    return { status: 'ok', object: presentPaymentEarnings(params.id, earnings, livemode) }
  },
})

const previewEarnings = endpoint({
  method: 'POST',
  path: '/v1/loyalty/earning_previews',
  summary: 'Ask what a payment would earn',
  description:
    'By the same decisions as a payment that completes now, or at `at`, by the rules, tiers and caps of then. Nothing is written. A welcome that an enrolment would bring is not among it.',
  tags: ['earning rules'],
  key: 'secret',
  scope: 'earning_rules:read',
  body: NewEarningPreview,
  reply: EarningPreview,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, body, deps }) => {
    const preview = await readEarningPreview(deps.pool, { workspace, ...body })
    if (preview === null) return missing('account', body.account ?? '')
    return { status: 'ok', object: presentPreview(preview, livemode) }
  },
})

export const earnings = [explainEarnings, previewEarnings]
