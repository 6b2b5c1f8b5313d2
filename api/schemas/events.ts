import { z } from 'zod'
import { id } from './ids.ts'
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
    data: z.looseObject({ previous: z.looseObject({}).optional() }).meta({
      description:
        'The object itself, as it was then; `previous` holds the fields that an update changed.',
    }),
  })
  .meta({ id: 'Event', description: 'A fact that happened, with the object as it was.' })
