import { z } from 'zod'
import { readCreditLiability } from '../../db/store-credit.ts'
import { pastEndOf } from '../liability/past.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { StoreCreditLiability } from '../schemas/store-credit.ts'
import { reportTime } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveStoreCreditLiability = endpoint({
  method: 'GET',
  path: '/v1/loyalty/programs/{id}/store_credit_liability',
  summary: 'What a program owes in store credit',
  description: 'In money, by currency: now, or as it was at an instant.',
  tags: ['store credit'],
  key: 'secret',
  params: idPath('prog'),
  query: z.strictObject({ at: reportTime.optional() }),
  reply: StoreCreditLiability,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, query, deps }) => {
    const at = await pastEndOf({ pool: deps.pool, workspace, program: params.id }, query.at)
    const report = await readCreditLiability(deps.pool, workspace, params.id, at)
    if (report === null) return notFound('program', params.id)
    const { as_of: asOf, currencies } = report
    return {
      status: 'ok',
      object: {
        object: 'store_credit_liability' as const,
        program: params.id,
        asOf: new Date(asOf).toISOString(),
        currencies,
        livemode,
      },
    }
  },
})
