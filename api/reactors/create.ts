import { findReactor } from '../../db/reactors.ts'
import { newId } from '../../domain/ids.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { NewReactor, Reactor, reactorObject } from '../schemas/reactors.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { checkReactions, checkTrigger } from './trigger.ts'

export const createReactor = endpoint({
  method: 'POST',
  path: '/v1/reactors',
  summary: 'Add a reactor',
  description:
    'From then on every event of its trigger, for which all its conditions are true, does what its reactions say.',
  tags: ['tills'],
  key: 'secret',
  body: NewReactor,
  reply: Reactor,
  successCodes: [201, 200],
  errors: [
    'resource_missing',
    'event_type_intrinsic',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, body, deps } = ctx
    await checkTrigger(deps, workspace, body.trigger)
    await checkReactions(deps, workspace, body.reactions)
    const { starts_at: startsAt, ends_at: endsAt, order: position, ...same } = body
    const values = { ...same, startsAt, endsAt, position, workspace, id: newId('rct') }
    const request = identityOf('POST /v1/reactors', ctx)
    const created = await write(() => deps.commands.createReactor(request, values))
    if ('row' in created) return { status: 'created', object: reactorObject(created.row, livemode) }
    const row = await findReactor(deps.pool, workspace, created.replayOf)
    if (row === undefined) return notFound('reactor', created.replayOf)
    return { status: 'ok', replayed: true, object: reactorObject(row, livemode) }
  },
})
