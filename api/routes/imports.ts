import { notFound } from '../../app/refusals.ts'
import { retryOnConflict } from '../../app/retry-on-conflict.ts'
import { orUnavailable } from '../../app/unavailable.ts'
import { findBulk, listBulks } from '../../db/bulk.ts'
import { importObject } from '../../domain/objects/bulk.ts'
import { Import } from '../schemas/bulks.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { endpoint } from '../server/endpoint.ts'
import { updated } from '../server/replies.ts'

const path = '/v1/loyalty/imports'
const about = {
  tags: ['imports'],
  key: 'secret',
  reply: Import,
  errors: ['resource_missing'],
} as const
const UNKNOWN = 'Whether the run was told is unknown; try again.'

export const retrieveImport = endpoint({
  ...about,
  method: 'GET',
  path: `${path}/{id}`,
  summary: 'Retrieve an import, with its progress',
  params: idPath('imp'),
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findBulk(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('import', params.id)
    return { status: 'ok', object: importObject(row, livemode) }
  },
})

export const listImports = endpoint({
  ...about,
  method: 'GET',
  path,
  summary: 'List imports',
  query: listQuery('imp', {}),
  reply: listReply(Import),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await listBulks(deps.pool, workspace, 'import', pageOf(query))
    const data = rows.map((row) => importObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

const verb = (
  name: 'pause' | 'resume' | 'cancel',
  status: 'paused' | 'running' | 'canceled',
  summary: string,
) =>
  endpoint({
    ...about,
    method: 'POST',
    path: `/v1/loyalty/imports/{id}/${name}`,
    summary,
    params: idPath('imp'),
    errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
    handle: async (ctx) => {
      const { livemode, params, deps } = ctx
      const changed = await orUnavailable(UNKNOWN, () =>
        retryOnConflict(() => deps.commands.changeBulk(ctx.request, params.id, status)),
      )
      return updated('import', params.id, changed, (row) => importObject(row, livemode))
    },
  })

export const pauseImport = verb('pause', 'paused', 'Pause an import; rows under way are finished')
export const resumeImport = verb('resume', 'running', 'Go on with a paused import')
export const cancelImport = verb(
  'cancel',
  'canceled',
  'Cancel an import; rows written stay, the others are dropped',
)
