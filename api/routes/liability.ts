import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { databaseNow, readEndOf } from '../../db/clock.ts'
import { type LiabilityPeriod, readLiability, readLiabilityPeriods } from '../../db/liability.ts'
import { findProgram } from '../../db/programs.ts'
import { readCreditLiability } from '../../db/store-credit.ts'
import { liabilityObject } from '../../domain/liability.ts'
import type { Moment } from '../../domain/moment.ts'
import { pointsOf } from '../../domain/points.ts'
import { refuse } from '../../domain/refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Liability } from '../schemas/liability.ts'
import { queryDay, reportTime } from '../schemas/times.ts'
import { StoreCreditLiability } from '../schemas/wallets.ts'
import { endpoint } from '../server/endpoint.ts'

/** The instant that a report is as of, a day's being its end; null: now. Refuses one that is still to come. */
async function pastEndOf(
  where: Parameters<typeof readEndOf>[0],
  at: Moment | undefined,
): Promise<Date | null> {
  if (at === undefined) return null
  const end = await readEndOf(where, at)
  if (end > (await databaseNow(where.pool))) {
    const what = at instanceof Date ? 'must not be in the future' : `${at.day} has not ended`
    refuse('parameter_invalid', `at: ${what}.`, { param: 'at' })
  }
  return end
}

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

const MOST_PERIODS = 3_700 // ten years of days
const DAY_MS = 86_400_000

const HEADER = [
  'period',
  'opening',
  'earned',
  'spent',
  'expired',
  'clawed_back',
  'adjusted',
  'closing',
  'point_value',
  'currency',
  'liability_minor',
]

export const exportLiability = endpoint({
  method: 'GET',
  path: '/v1/loyalty/programs/{id}/liability/export',
  summary: 'Movements of a program by period, as CSV',
  description:
    'A row for each UTC day or month from `from` to before `to`: opening, movements by type, closing (opening + earned - spent - expired - clawed_back + adjusted), and what the closing costs at the value then.',
  tags: ['programs'],
  key: 'secret',
  params: idPath('prog'),
  query: z
    .strictObject({
      from: queryDay,
      to: queryDay,
      period: z.enum(['month', 'day']).default('month'),
    })
    .refine(({ from, to }) => from < to, { error: 'must be after from', path: ['to'] })
    .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= MOST_PERIODS * DAY_MS, {
      error: `must be within ${MOST_PERIODS} days of from`,
      path: ['to'],
    }),
  media: 'text/csv',
  reply: z.string(),
  errors: ['resource_missing', 'parameter_missing'],
  handle: async ({ workspace, params, query, deps }) => {
    const program = await findProgram(deps.pool, workspace, params.id)
    if (program === undefined) return notFound('program', params.id)
    if (query.period === 'month' && !query.from.endsWith('-01')) {
      refuse('parameter_invalid', 'from: a month begins on its first.', { param: 'from' })
    }
    const rows = await readLiabilityPeriods(deps.pool, workspace, params.id, query)
    const lines = [HEADER.join(','), ...rows.map((row) => lineOf(row, program.decimals))]
    return { status: 'ok', object: `${lines.join('\r\n')}\r\n` }
  },
})

/** Numbers and dates only: nothing that needs quoting, nothing that a spreadsheet takes for a formula. */
function lineOf(row: LiabilityPeriod, decimals: number): string {
  const points = [
    row.opening,
    row.earned,
    row.spent,
    row.expired,
    row.clawed_back,
    row.adjusted,
    row.closing,
  ].map((units) => pointsOf(units, decimals))
  return [row.period, ...points, row.value, row.currency, row.liability_minor].join(',')
}

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
