import { notFound } from '../../app/refusals.ts'
import { databaseNow } from '../../db/clock.ts'
import { findCodePool, listCodePools as readCodePools } from '../../db/code-pools.ts'
import { codeBatchObject } from '../../domain/code-pool.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import {
  CodeBatch,
  CodePool,
  NewCodePool,
  NewCodes,
  presentCodePool,
  presentCodePools,
} from '../schemas/code-pools.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { created } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

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
    const made = await deps.commands.createCodePool(ctx.request, values)
    return created(made, (row) => presentCodePool(deps, ctx, row))
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

export const uploadCodes = endpoint({
  method: 'POST',
  path: '/v1/loyalty/code_pools/{id}/codes',
  summary: 'Add codes to a pool',
  description:
    'A code that is here already, in whichever pool, is not added and reported by its line. Codes are sealed before they are stored and never listed.',
  tags: ['gift cards'],
  key: 'secret',
  params: idPath('cpl'),
  body: NewCodes,
  bodyLimit: '1mb', // a thousand long codes
  reply: CodeBatch,
  successCodes: [201, 200],
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    const { codes: vault } = deps
    if ((await findCodePool(deps.pool, workspace, params.id)) === undefined) {
      return notFound('code pool', params.id)
    }
    if (vault === undefined) {
      return refuse(
        'parameter_invalid',
        'codes: the server has no GIFT_CODE_KEYS to seal codes with.',
        { param: 'codes' },
      )
    }
    const upload = {
      workspace,
      pool: params.id,
      batch: newId('cbt'),
      codes: body.codes.map((code, at) => ({ line: at + 1, ...vault.seal(workspace, code) })),
      request: ctx.request,
      at: (await databaseNow(deps.pool)).toISOString(),
    }
    const uploaded = await deps.commands.uploadCodes(upload)
    return created(uploaded, (row) => codeBatchObject(row, livemode))
  },
})
