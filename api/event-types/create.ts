import { findEventType } from '../../db/event-types.ts'
import { isIntrinsic } from '../../domain/event-type.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { EventType, eventTypeObject, NewEventType } from '../schemas/event-types.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { refusePersonalProperties } from './personal.ts'
import { checkSchema } from './schema.ts'

export const createEventType = endpoint({
  method: 'POST',
  path: '/v1/event_types',
  summary: 'Define an event type',
  description:
    'From then on tills may report events of this type, with payloads that its JSON Schema takes.',
  tags: ['tills'],
  key: 'secret',
  body: NewEventType,
  reply: EventType,
  successCodes: [201, 200],
  errors: [
    'event_type_intrinsic',
    'payload_personal_data',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, livemode, body, deps } = ctx
    if (isIntrinsic(body.name)) {
      refuse('event_type_intrinsic', `name: ${body.name} is a type of the platform's own.`, {
        param: 'name',
      })
    }
    refusePersonalProperties(body.schema)
    await checkSchema(deps, workspace, body.schema)
    const values = { ...body, workspace, id: newId('ety') }
    const request = identityOf('POST /v1/event_types', ctx)
    const { value: row, replayed } = await write(() =>
      deps.commands.createEventType(request, values),
    )
    if (row === undefined) {
      const message = `name: there is an event type ${body.name} already; update its schema.`
      const existing = await findEventType(deps.pool, workspace, body.name)
      return refuse('parameter_invalid', message, { param: 'name', resource: existing?.id })
    }
    return { status: 'created', replayed, object: eventTypeObject(row, livemode) }
  },
})
