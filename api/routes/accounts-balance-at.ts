import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { findAccount, readBalanceAt } from '../../db/accounts.ts'
import { readEndOf } from '../../db/day.ts'
import { pointsOf } from '../../domain/points.ts'
import { points } from '../schemas/amounts.ts'
import { id, idPath } from '../schemas/ids.ts'
import { reportTime, time } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'

const BalanceAt = z
  .object({ account: id('loy'), balance: points, at: time })
  .meta({ id: 'BalanceAt', description: 'What the account had at an instant.' })

export const balanceAt = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/balance_at',
  summary: "A member's balance at an instant",
  description:
    'By the time of each movement; points due by then count as expired, written off or not.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  query: z.strictObject({ at: reportTime }),
  reply: BalanceAt,
  errors: ['resource_missing', 'parameter_missing'],
  handle: async ({ workspace, params, query, deps }) => {
    const row = await findAccount(deps.pool, workspace, params.id)
    const at = await readEndOf({ pool: deps.pool, workspace, account: params.id }, query.at)
    const balance = await readBalanceAt(deps.pool, workspace, params.id, at)
    if (row === undefined || balance === null) return notFound('account', params.id)
    const decimals = await deps.decimals.ofProgram(workspace, row.program)
    const object = {
      account: row.id,
      balance: pointsOf(balance, decimals),
      at: at.toISOString(),
    }
    return { status: 'ok', object }
  },
})
