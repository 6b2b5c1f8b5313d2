import { exactUnits } from '../../app/points.ts'
import { notFound } from '../../app/refusals.ts'
import { findProgram } from '../../db/programs.ts'
import { findRedemption } from '../../db/redemptions.ts'
import { newId } from '../../domain/ids.ts'
import { idPath } from '../schemas/ids.ts'
import { Redemption, Reversal } from '../schemas/redemptions.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { answerCommand } from './redemptions.ts'

export const reverseRedemption = endpoint({
  method: 'POST',
  path: '/v1/loyalty/redemptions/{id}/reverse',
  summary: 'Undo a redemption',
  description:
    'The points return to the member, all of them or those of a part, to the lots they came from; stock and limits get the quantity back, what is reversed wholly is void, and of several gift cards as many as are returned, which is said by `quantity`. The payment of an applied discount keeps its charge: `payment_unaffected` says so and offers the refund, which `refund_payment` makes at once.',
  tags: ['redemptions'],
  key: 'secret',
  params: idPath('rdm'),
  body: Reversal,
  reply: Redemption,
  errors: [
    'resource_missing',
    'redemption_already_settled',
    'payment_processing',
    'not_reversible',
    'invalid_precision',
    'idempotency_key_reused',
  ],
  handle: async (ctx) => {
    const { workspace, params, body, deps } = ctx
    const points =
      body.points === undefined
        ? undefined
        : exactUnits('points', body.points, await freshDecimals(deps, workspace, params.id))
    const refund = body.refund_payment ? { id: newId('re'), event: newId('evt') } : undefined
    const { reason, quantity } = body
    return answerCommand(ctx, (command) =>
      deps.commands.reverseRedemption({ ...command, reason, points, quantity, refund }),
    )
  },
})

/** Read anew: points in a wrong scale would give back another amount. */
async function freshDecimals({ pool }: Deps, workspace: string, id: string): Promise<number> {
  const row = await findRedemption(pool, workspace, id)
  if (row === undefined) return notFound('redemption', id)
  const program = await findProgram(pool, workspace, row.program)
  if (program === undefined) throw new Error(`no program behind ${id}`)
  return program.decimals
}
