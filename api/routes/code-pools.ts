import { notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { findCodePool, listCodePools as readCodePools } from '../../db/code-pools.ts'
import { newId } from '../../domain/ids.ts'
import { CodePool, NewCodePool, presentCodePool, presentCodePools } from '../schemas/code-pools.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { endpoint } from '../server/endpoint.ts'
import { created } from '../server/replies.ts'

export const createCodePool = endpoint({
  method: 'POST',
  path: '/v1/loyalty/code_pools',
  summary: 'Open a pool of gift card codes',
  tags: ['gift cards'],
  key: 'secret',
  body: NewCodePool,
  reply: CodePool,
  successCodes: [201, 200],
  errors: ['idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, body, deps } = ctx
    const { low_at: lowAt, ...same } = body
    const values = { ...same, lowAt, workspace, id: newId('cpl') }
    const made = await retryOnConflict(() => deps.commands.createCodePool(ctx.request, values))
    return created(
      'code pool',
      made,
      (id) => findCodePool(deps.pool, workspace, id),
      (row) => presentCodePool(deps, ctx, row),
    )
  },
})

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
    return { status: 'ok', object: await presentCodePool(ctx.deps, ctx, row) }
  },
})
