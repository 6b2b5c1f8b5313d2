import { findReactor } from '../../db/reactors.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { Reactor, ReactorUpdate, reactorObject } from '../objects/reactor.ts'
import { notFound } from '../points-refusal.ts'
import { identityOf } from '../request-identity.ts'
import { idPath } from '../values/id.ts'
import { mergedMetadata } from '../values/metadata.ts'
import { checkReactions } from './trigger.ts'

export const updateReactor = endpoint({
  method: 'PATCH',
  path: '/v1/reactors/{id}',
  summary: 'Update a reactor',
  description:
    'Applies to what is reported from then on. Fields not named stay; conditions, reactions and limits are replaced as a whole. Activations so far keep counting.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('rct'),
  body: ReactorUpdate,
  reply: Reactor,
  errors: [
    'resource_missing',
    'event_type_intrinsic',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    const before = await findReactor(deps.pool, workspace, params.id)
    if (before === undefined) return notFound('reactor', params.id)
    await checkReactions(deps, workspace, body.reactions ?? [])
    const { starts_at, ends_at, order: position, metadata, ...same } = body
    const startsAt = starts_at === undefined ? before.startsAt : starts_at
    const endsAt = ends_at === undefined ? before.endsAt : ends_at
    if (startsAt !== null && endsAt !== null && startsAt >= endsAt) {
      const param = ends_at === undefined ? 'starts_at' : 'ends_at'
      refuse('parameter_invalid', `${param}: the reactor would end before it starts.`, { param })
    }
    const change = {
      ...same,
      startsAt,
      endsAt,
      position,
      metadata: metadata && mergedMetadata(before.metadata, metadata),
    }
    const request = identityOf('PATCH /v1/reactors/{id}', ctx)
    const changed = await write(() => deps.activities.updateReactor(request, params.id, change))
    const row =
      changed && 'row' in changed ? changed.row : await findReactor(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('reactor', params.id)
    const replayed = changed !== undefined && 'replayOf' in changed
    return { status: 'ok', replayed, object: reactorObject(row, livemode) }
  },
})
