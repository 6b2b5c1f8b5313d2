import type { z } from 'zod'
import type { ReactorChange, ReactorRow } from '../../db/reactors.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { Reactor, ReactorUpdate, reactorObject } from '../schemas/reactors.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { refuseReversed } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
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
    await checkReactions(deps, workspace, body.reactions ?? [])
    const request = identityOf('PATCH /v1/reactors/{id}', ctx)
    const { value: row, replayed } = await write(() =>
      deps.commands.updateReactor(request, params.id, (before) => changeOf(before, body)),
    )
    if (row === undefined) return notFound('reactor', params.id)
    return { status: 'ok', replayed, object: reactorObject(row, livemode) }
  },
})

/** The columns that change; undefined leaves one as it is. */
function changeOf(before: ReactorRow, body: z.output<typeof ReactorUpdate>): ReactorChange {
  const { starts_at: startsAt, ends_at: endsAt, order: position, metadata, ...same } = body
  refuseReversed('reactor', before, { startsAt, endsAt })
  return {
    ...same,
    startsAt,
    endsAt,
    position,
    metadata: metadata && mergedMetadata(before.metadata, metadata),
  }
}
