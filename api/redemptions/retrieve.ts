import { findRedemption } from '../../db/redemptions.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { presentRedemption, Redemption } from '../schemas/redemptions.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveRedemption = endpoint({
  method: 'GET',
  path: '/v1/loyalty/redemptions/{id}',
  summary: 'Retrieve a redemption',
  tags: ['redemptions'],
  key: 'secret',
  params: idPath('rdm'),
  reply: Redemption,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findRedemption(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('redemption', ctx.params.id)
    return { status: 'ok', object: await presentRedemption(ctx.deps, ctx, row) }
  },
})
