import { findCodePool } from '../../db/code-pools.ts'
import { notFound } from '../points-refusal.ts'
import { CodePool, presentCodePools } from '../schemas/code-pools.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveCodePool = endpoint({
  method: 'GET',
  path: '/v1/loyalty/code_pools/{id}',
  summary: 'Retrieve a pool of gift card codes',
  tags: ['gift cards'],
  key: 'secret',
  params: idPath('cpl'),
  reply: CodePool,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findCodePool(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('code pool', ctx.params.id)
    const [object] = await presentCodePools(ctx.deps, ctx, [row])
    if (object === undefined) throw new Error(`pool ${row.id} was not presented`)
    return { status: 'ok', object }
  },
})
