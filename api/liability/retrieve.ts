import { z } from 'zod'
import { readLiability } from '../../db/liability.ts'
import { liabilityObject } from '../../domain/objects/liability.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { reportTime, time } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'
import { pastEndOf } from './past.ts'

const Liability = z
  .object({
    outstandingPoints: z
      .number()
      .meta({ description: 'The sum of all balances, negative and closed ones too.' }),
    pointValue: z.number(),
    liabilityMinor: z
      .number()
      .int()
      .meta({ description: 'outstandingPoints x pointValue, rounded up.' }),
    currency: z.string(),
    asOf: time,
    earned: z.number(),
    spent: z.number(),
    expired: z.number(),
    clawedBack: z.number(),
    adjusted: z.number(),
    pendingPoints: z.number(),
    breakage: z
      .object({
        method: z.literal('expired_share_365d'),
        rate: z.number(),
        liabilityMinor: z.number().int(),
      })
      .optional()
      .meta({
        description:
          'An estimate: the share of points that expired, of all that expired or were spent in the 365 whole UTC days before, applied to the liability. Absent where none did.',
      }),
  })
  .meta({
    id: 'Liability',
    description: 'outstandingPoints = earned - spent - expired - clawedBack + adjusted, exactly.',
  })

export const retrieveLiability = endpoint({
  method: 'GET',
  path: '/v1/loyalty/programs/{id}/liability',
  summary: 'What a program owes',
  description: 'Now, or as it was at an instant, by the time of each movement.',
  tags: ['programs'],
  key: 'secret',
  params: idPath('prog'),
  query: z.strictObject({ at: reportTime.optional() }),
  reply: Liability,
  errors: ['resource_missing'],
  handle: async ({ workspace, params, query, deps }) => {
    const at = await pastEndOf({ pool: deps.pool, workspace, program: params.id }, query.at)
    const report = await readLiability(deps.pool, workspace, params.id, at)
    if (report === null) return notFound('program', params.id)
    return { status: 'ok', object: liabilityObject(report) }
  },
})
