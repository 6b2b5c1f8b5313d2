import { listCodePools as readCodePools } from '../../db/code-pools.ts'
import { CodePool, presentCodePools } from '../schemas/code-pools.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/loyalty/code_pools'

export const listCodePools = endpoint({
  method: 'GET',
  path,
  summary: 'List pools of gift card codes',
  tags: ['gift cards'],
  key: 'secret',
  query: listQuery('cpl', {}),
  reply: listReply(CodePool),
  errors: [],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const { rows, hasMore } = await readCodePools(deps.pool, workspace, pageOf(query))
    return {
      status: 'ok',
      object: listOf(path, await presentCodePools(deps, ctx, rows), hasMore),
    }
  },
})
