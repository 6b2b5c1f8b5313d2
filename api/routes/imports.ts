import { createHash } from 'node:crypto'
import { z } from 'zod'
import { importApproval } from '../../app/approval-requests.ts'
import { DecimalsChanged } from '../../app/bulk.ts'
import { type Written, writtenBy } from '../../app/idempotent.ts'
import type { ImportCheck } from '../../app/import-check.ts'
import { UploadLost } from '../../app/imports.ts'
import { notFound } from '../../app/refusals.ts'
import { orUnavailable, Unavailable } from '../../app/unavailable.ts'
import { findApproval } from '../../db/approvals.ts'
import { type BulkRow, findBulk, listBulks } from '../../db/bulk.ts'
import { databaseNow } from '../../db/clock.ts'
import { importObject } from '../../domain/bulk.ts'
import { refuse } from '../../domain/refusal.ts'
import { csvLines, hashed, ndjsonLines } from '../imports/lines.ts'
import { type LineReader, uploaded } from '../imports/upload.ts'
import { Approval } from '../schemas/approvals.ts'
import { batchTag, Import } from '../schemas/bulks.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { created, updated, waiting } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

const TYPE = /^(application\/(?:x-)?ndjson|application\/jsonl|text\/csv)\s*(?:;\s*(.*))?$/i
const UTF8 = /^(?:header=present;?\s*)?(?:charset="?utf-8"?)?\s*;?\s*(?:header=present)?$/i

export const createImport = endpoint({
  method: 'POST',
  path: '/v1/loyalty/imports',
  summary: 'Import movements from a file',
  description:
    'NDJSON (application/x-ndjson) or CSV (text/csv, with a header) in UTF-8, up to a million rows and 200,000,000 bytes, as a stream, four of a workspace at once. A row has `account`, `amount`, and where wanted `reason`, `expires_at`, `key` and `metadata` (in CSV, columns `metadata.x`). Every line is checked before anything is written: where one is wrong, all is refused, with `errors` by line. Then one workflow writes them, and its progress is read from the import.',
  tags: ['imports'],
  key: 'secret',
  stream: true,
  accepts: ['application/x-ndjson', 'text/csv'],
  query: z.strictObject({
    batch: batchTag
      .optional()
      .meta({ description: 'Tags the rows; the id of the import where not named.' }),
  }),
  reply: Import,
  waits: Approval,
  successCodes: [201, 200],
  errors: [
    'idempotency_key_reused',
    'unsupported_media_type',
    'body_too_large',
    'too_many_requests',
    'resource_missing',
    'account_closed',
    'invalid_precision',
    'parameter_missing',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, query, idempotencyKey: key, header, stream, deps } = ctx
    const id = ctx.idOf('imp')
    const lines = linesBy(header('content-type'))
    const hash = createHash('sha256').update(query.batch ?? '')
    const known = key === undefined ? undefined : await findBulk(deps.pool, workspace, id)
    const present = (row: BulkRow) => importObject(row, livemode)
    const answered = async (written: Written<BulkRow>) => {
      const approval = await findApproval(deps.pool, workspace, ctx.idOf('apr'))
      const isToCome = approval !== undefined && approval.result === null
      if (isToCome) return waiting({ row: approval, replayed: written.replayed }, ctx)
      return created(written, present)
    }
    if (known !== undefined) {
      await hashed(stream, hash) // checked when it was new; what it names may have changed since
      return answered(writtenBy(hash.digest('base64url'), known, true))
    }
    const { rows: limit } = await deps.approvalRules.limitsOf(workspace, ctx.actor)
    const now = await databaseNow(deps.pool)
    const context = { pool: deps.pool, commands: deps.commands, workspace, now, log: ctx.log }
    return uploaded(stream, hash, lines, context, async (checked, upload) => {
      refuseWrong(checked)
      const values = {
        workspace,
        id,
        kind: 'import' as const,
        batch: query.batch ?? id,
        total: checked.rows,
        fingerprint: hash.digest('base64url'),
        createdAt: now,
        progressedAt: now,
      }
      if (limit === null || checked.rows <= limit) {
        return created(await deps.commands.createBulk(values, upload), present)
      }
      const asked = await importApproval(deps, ctx, { ...values, limit })
      const held = { ...values, status: 'waiting' as const }
      return answered(await deps.commands.createBulk(held, upload, asked))
    }).catch(orSendAgain)
  },
})

const sendAgain = (cause: string) =>
  new Unavailable(`${cause} Nothing was kept; send the file again.`)

function orSendAgain(error: unknown): never {
  if (error instanceof DecimalsChanged) throw sendAgain('A program’s decimals changed meanwhile.')
  if (error instanceof UploadLost) throw sendAgain('What was read of the file was lost meanwhile.')
  throw error
}

function linesBy(type: string | undefined): LineReader {
  const [, media = '', parameters = ''] = TYPE.exec(type?.trim() ?? '') ?? []
  if (media === '') {
    refuse('unsupported_media_type', 'The body must be application/x-ndjson or text/csv.')
  }
  if (!UTF8.test(parameters.trim())) refuse('unsupported_media_type', 'The charset must be utf-8.')
  return media.toLowerCase() === 'text/csv' ? csvLines : ndjsonLines
}

function refuseWrong({ rows, errors, errorCount }: ImportCheck): void {
  const [first] = errors
  if (first !== undefined) {
    const code = first.code === 'body_too_large' ? 'body_too_large' : 'parameter_invalid'
    const wrong =
      errorCount === 1
        ? `Line ${first.line} is wrong`
        : `${errorCount} lines are wrong, the first is line ${first.line}`
    refuse(code, `${wrong}: ${first.message}`, {
      param: 'body',
      fields: { errors, error_count: errorCount },
    })
  }
  if (rows === 0) refuse('parameter_invalid', 'The file has no rows.', { param: 'body' })
}

const path = '/v1/loyalty/imports'
const about = {
  tags: ['imports'],
  key: 'secret',
  reply: Import,
  errors: ['resource_missing'],
} as const
const UNKNOWN = 'Whether the import was changed is unknown. Retry with the same Idempotency-Key.'

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
        deps.commands.changeBulk(ctx.request, 'import', params.id, status),
      )
      return updated(changed, (row) => importObject(row, livemode))
    },
  })

export const pauseImport = verb('pause', 'paused', 'Pause an import; rows under way are finished')
export const resumeImport = verb('resume', 'running', 'Go on with a paused import')
export const cancelImport = verb(
  'cancel',
  'canceled',
  'Cancel an import; rows written stay, the others are dropped',
)
