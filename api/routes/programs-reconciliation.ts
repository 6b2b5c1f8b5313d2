import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { databaseNow, readEndOf, readStartOf } from '../../db/clock.ts'
import { readReconciliation } from '../../db/earnings.ts'
import { findProgram } from '../../db/programs.ts'
import type { Mismatch } from '../../db/results/reconciliation.ts'
import type { Moment, Window } from '../../domain/moment.ts'
import { pointsOf } from '../../domain/points.ts'
import { refuse } from '../../domain/refusal.ts'
import { points } from '../schemas/amounts.ts'
import { id, idPath } from '../schemas/ids.ts'
import { queryWindow, time } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'

const MOST_LINES = 1_000 // more than a person reads; a narrower window shows the rest
const MILLISECOND = 1

const Line = z.object({
  reason: z.string(),
  payment: z.string().optional(),
  refund: z.string().optional(),
  account: id('loy').optional(),
  rule: z.string().optional(),
  transaction: id('ptx').optional(),
  points: points.optional(),
  amount: z.number().int().optional().meta({ description: 'Money of the payment or refund.' }),
})

const Reconciliation = z
  .object({
    object: z.literal('reconciliation'),
    program: id('prog'),
    from: time,
    to: time,
    payments: z.number().int().meta({ description: 'Completed in the window.' }),
    refunds: z.number().int().meta({ description: 'Of the window, that did not fail.' }),
    transactions: z.number().int(),
    earned: points,
    clawed_back: points,
    net_earned: points,
    mismatches: z.array(Line).meta({ description: 'Oldest first, at most 1,000.' }),
    has_more: z.boolean(),
  })
  .meta({
    id: 'Reconciliation',
    description: "A program's points beside the payments behind them.",
  })

export const reconcileProgram = endpoint({
  method: 'GET',
  path: '/v1/loyalty/programs/{id}/reconciliation',
  summary: "Join a window's transactions to payments and refunds",
  description:
    'Totals of the window (up to now where it has no end) and every payment, refund or transaction that does not match, with its reason: payment_not_processed, payment_without_member, member_unknown, no_rule, account_closed, cap_reached, nothing_left, pending, came_late (earned more than an hour after its payment completed), refund_of_unknown_payment, refund_exceeds_payment, refund_not_processed, clawback_forgiven, points_expired_before, transaction_of_unknown_payment, points_differ.',
  tags: ['programs'],
  key: 'secret',
  params: idPath('prog'),
  query: z.strictObject({ created: queryWindow }),
  reply: Reconciliation,
  errors: ['resource_missing'],
  handle: async ({ workspace, params, query, deps }) => {
    const program = await findProgram(deps.pool, workspace, params.id)
    if (program === undefined) return notFound('program', params.id)
    const { pool } = deps
    const window = await windowOf({ pool, workspace, program: program.id }, query.created ?? {})
    const read = await readReconciliation(deps.pool, workspace, program.id, window, MOST_LINES)
    const { earned, clawed_back, payments, refunds, transactions, mismatches } = read
    const inPoints = (units: number) => pointsOf(units, program.decimals)
    const lineOf = ({ points: units, ...line }: Mismatch) => ({
      ...line,
      ...(units !== undefined && { points: inPoints(units) }),
    })
    const object = {
      object: 'reconciliation' as const,
      program: program.id,
      from: window.from.toISOString(),
      to: window.to.toISOString(),
      payments,
      refunds,
      transactions,
      earned: inPoints(earned),
      clawed_back: inPoints(clawed_back),
      net_earned: inPoints(earned - clawed_back),
      mismatches: mismatches.slice(0, MOST_LINES).map(lineOf),
      has_more: mismatches.length > MOST_LINES,
    }
    return { status: 'ok', object }
  },
})

/** From the first moment asked for (1970 where none is) up to, not including, the last (now). */
async function windowOf(
  where: Parameters<typeof readEndOf>[0],
  { gt, gte, lt, lte }: Window,
): Promise<{ from: Date; to: Date }> {
  const from = gt ? await afterEnd(where, gt) : gte ? await readStartOf(where, gte) : new Date(0)
  const to = lt
    ? await readStartOf(where, lt)
    : await afterEnd(where, lte ?? (await databaseNow(where.pool)))
  if (from >= to) {
    refuse('parameter_invalid', 'created: the window ends before it begins.', { param: 'created' })
  }
  return { from, to }
}

/** The first moment after: a day's end is none of the day's own. */
async function afterEnd(where: Parameters<typeof readEndOf>[0], moment: Moment): Promise<Date> {
  return moment instanceof Date
    ? new Date(moment.getTime() + MILLISECOND)
    : await readEndOf(where, moment)
}
