import { z } from 'zod'
import type { EventTypeRow } from '../../db/event-types.ts'
import { actor } from './actors.ts'
import { id } from './ids.ts'
import { jsonObject, text } from './text.ts'
import { time } from './times.ts'

// `loyalty.points.earned`, `payment.completed`; providers' own types have dashes and capitals too.
const TYPE = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/
const TYPE_OR_PREFIX = /^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$/
const LONGEST_TYPE = 100

const eventType = z
  .string()
  .max(LONGEST_TYPE)
  .regex(TYPE, 'expected an event type')
  .meta({ example: 'loyalty.points.earned' })

/** What an endpoint or a filter may name: a type, a prefix with `.*`, or `*` for all. */
export const eventPattern = z
  .string()
  .max(LONGEST_TYPE)
  .regex(TYPE_OR_PREFIX, 'expected an event type, a prefix such as loyalty.*, or *')
  .meta({ example: 'loyalty.redemption.*' })

/** A fact that happened, with the object as it was. */
export const Event = z
  .object({
    id: id('evt'),
    object: z.literal('event'),
    type: eventType,
    api_version: z.string(),
    created: z.number().int().meta({ description: 'Unix seconds.' }),
    created_at: time,
    livemode: z.boolean(),
    actor,
    data: z.looseObject({ previous: z.looseObject({}).optional() }).meta({
      description:
        'The object itself, as it was then; `previous` holds the fields that an update changed.',
    }),
  })
  .meta({ id: 'Event', description: 'A fact that happened, with the object as it was.' })

const LONGEST_NAME = 100
const LONGEST_DESCRIPTION = 500

/** The name of a caller's own event type. */
export const eventTypeName = z
  .string()
  .max(LONGEST_NAME)
  .regex(/^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/, 'expected a name such as REDEEMED_POINTS')
  .meta({ example: 'REDEEMED_POINTS' })

const schema = jsonObject.meta({
  description: 'JSON Schema 2020-12 of the payload; at most 16 KB, with references to itself only.',
  example: {
    type: 'object',
    properties: { points: { type: 'integer', minimum: 1 } },
    required: ['points'],
    additionalProperties: false,
  },
})

/** A kind of event that callers report, with the schema that their payloads follow. */
export const EventType = z
  .object({
    id: id('ety'),
    object: z.literal('event_type'),
    name: eventTypeName,
    description: z.string().nullable(),
    version: z.number().int().meta({ description: 'Counts schemas, from 1.' }),
    schema,
    versions: z
      .array(z.object({ version: z.number().int(), schema, created_at: time }))
      .optional()
      .meta({ description: 'Every schema it ever had, newest first; on retrieval.' }),
    created_at: time,
    updated_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'EventType', description: 'A kind of event that callers report.' })

export const NewEventType = z
  .strictObject({
    name: eventTypeName.refine((name) => !name.startsWith('ety_'), 'looks like an id'),
    description: text(LONGEST_DESCRIPTION).nullable().default(null),
    schema: schema.default({ type: 'object' }),
  })
  .meta({ id: 'NewEventType' })

export const EventTypeUpdate = z
  .strictObject({
    description: text(LONGEST_DESCRIPTION).nullable().optional(),
    schema: schema.optional(),
  })
  .meta({ id: 'EventTypeUpdate' })

export function eventTypeObject(row: EventTypeRow, livemode: boolean): z.input<typeof EventType> {
  return {
    id: row.id,
    object: 'event_type' as const,
    name: row.name,
    description: row.description,
    version: row.version,
    schema: row.schema,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    livemode,
  }
}
