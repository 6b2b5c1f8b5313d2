import { z } from 'zod'
import { approvalOfReversal, askedBefore } from '../../app/approval-requests.ts'
import { writtenBy } from '../../app/idempotent.ts'
import { notFound } from '../../app/refusals.ts'
import { orUnavailable } from '../../app/unavailable.ts'
import { type BulkRow, findBulk, findOpenImport, readBatchSize } from '../../db/bulk.ts'
import { databaseNow } from '../../db/clock.ts'
import { batchReversalObject } from '../../domain/bulk.ts'
import { refuse } from '../../domain/refusal.ts'
import { Approval } from '../schemas/approvals.ts'
import { BatchReversal, batchTag } from '../schemas/bulks.ts'
import { idPath } from '../schemas/ids.ts'
import { created, updated, waiting } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

export const reverseBatch = endpoint({
  method: 'POST',
  path: '/v1/loyalty/batches/{batch}/reverse',
  summary: 'Reverse all that carries a batch tag',
  description:
    'Imported or posted one by one; one workflow, the newest first. What is reversed already is passed over, what cannot be is counted and named.',
  tags: ['imports'],
  key: 'secret',
  params: z.strictObject({ batch: batchTag }),
  reply: BatchReversal,
  waits: Approval,
  successCodes: [201, 200],
  errors: ['resource_missing', 'not_reversible', 'idempotency_key_reused'],
  handle: async (ctx) => {
    const { workspace, livemode, params, idempotencyKey: key, fingerprint, deps } = ctx
    const { batch } = params
    const id = ctx.idOf('brv')
    const present = (row: BulkRow) => batchReversalObject(row, livemode)
    const known = key === undefined ? undefined : await findBulk(deps.pool, workspace, id)
    // what may be reversed was checked when it was new
    if (known !== undefined) return created(writtenBy(fingerprint, known, true), present)
    const asked = await askedBefore(deps.pool, ctx)
    if (asked !== undefined) return waiting(asked, ctx)
    const total = await readBatchSize(deps.pool, workspace, batch)
    if (total === 0) return notFound('batch', batch)
    const running = await findOpenImport(deps.pool, workspace, batch)
    if (running !== undefined) {
      refuse('not_reversible', `The import ${running.id} still brings rows of this batch.`, {
        resource: running.id,
      })
    }
    const approval = await approvalOfReversal(deps, ctx, { bulk: id, batch })
    if (approval !== undefined) return waiting(approval, ctx)
    const now = await databaseNow(deps.pool)
    const values = {
      workspace,
      id,
      kind: 'reversal' as const,
      batch,
      total,
      fingerprint,
      createdAt: now,
      progressedAt: now,
    }
    return created(await deps.commands.createBulk(values), present)
  },
})

const path = '/v1/loyalty/batch_reversals'
const about = {
  tags: ['imports'],
  key: 'secret',
  reply: BatchReversal,
  errors: ['resource_missing'],
} as const
const UNKNOWN = 'Whether the reversal was changed is unknown. Retry with the same Idempotency-Key.'

export const retrieveReversal = endpoint({
  ...about,
  method: 'GET',
  path: `${path}/{id}`,
  summary: 'Retrieve the reversal of a batch, with its progress',
  params: idPath('brv'),
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findBulk(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('reversal', params.id)
    return { status: 'ok', object: batchReversalObject(row, livemode) }
  },
})

const verb = (name: 'pause' | 'resume', status: 'paused' | 'running', summary: string) =>
  endpoint({
    ...about,
    method: 'POST',
    path: `/v1/loyalty/batch_reversals/{id}/${name}`,
    summary,
    params: idPath('brv'),
    errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
    handle: async (ctx) => {
      const { livemode, params, deps } = ctx
      const changed = await orUnavailable(UNKNOWN, () =>
        deps.commands.changeBulk(ctx.request, 'reversal', params.id, status),
      )
      return updated(changed, (row) => batchReversalObject(row, livemode))
    },
  })

export const pauseReversal = verb(
  'pause',
  'paused',
  'Pause a reversal; rows under way are finished',
)
export const resumeReversal = verb('resume', 'running', 'Go on with a paused reversal')
