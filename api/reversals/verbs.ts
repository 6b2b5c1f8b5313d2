import { findBulk } from '../../db/bulk.ts'
import { batchReversalObject } from '../../domain/objects/bulk.ts'
import { write } from '../contention.ts'
import { orOutage } from '../outage.ts'
import { notFound } from '../points-refusal.ts'
import { BatchReversal } from '../schemas/bulks.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

const path = '/v1/loyalty/batch_reversals'
const about = {
  tags: ['imports'],
  key: 'secret',
  reply: BatchReversal,
  errors: ['resource_missing'],
} as const
const UNKNOWN = 'Whether the run was told is unknown; try again.'

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
      const request = identityOf(`POST /v1/loyalty/batch_reversals/{id}/${name}`, ctx)
      const { value: row, replayed } = await orOutage(UNKNOWN, () =>
        write(() => deps.commands.changeBulk(request, params.id, status)),
      )
      if (row === undefined) return notFound('reversal', params.id)
      return { status: 'ok', replayed, object: batchReversalObject(row, livemode) }
    },
  })

export const pauseReversal = verb(
  'pause',
  'paused',
  'Pause a reversal; rows under way are finished',
)
export const resumeReversal = verb('resume', 'running', 'Go on with a paused reversal')
