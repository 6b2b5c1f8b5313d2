import { z } from 'zod'
import { type LiabilityPeriod, readLiabilityPeriods } from '../../db/liability.ts'
import { findProgram } from '../../db/programs.ts'
import { pointsOf } from '../../domain/points.ts'
import { refuse } from '../../domain/refusal.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { queryDay } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'

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
