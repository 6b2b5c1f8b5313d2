import { z } from 'zod'
import { listRedemptions as readRedemptions } from '../../db/redemptions.ts'
import { id } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { presentRedemptions, REDEMPTION_STATUSES, Redemption } from '../schemas/redemptions.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/loyalty/redemptions'

export const listRedemptions = endpoint({
  method: 'GET',
  path,
  summary: 'List redemptions',
  tags: ['redemptions'],
  key: 'secret',
  query: listQuery('rdm', {
    account: id('loy').optional(),
    reward: id('rwd').optional(),
    status: z.enum(REDEMPTION_STATUSES).optional(),
    payment: id('pay').optional(),
  }),
  reply: listReply(Redemption),
  errors: [],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const { account, reward, status, payment } = query
    const filter = { account, reward, status, payment }
    const { rows, hasMore } = await readRedemptions(deps.pool, workspace, filter, pageOf(query))
    return {
      status: 'ok',
      object: listOf(path, await presentRedemptions(deps, ctx, rows), hasMore),
    }
  },
})
