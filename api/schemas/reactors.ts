import { z } from 'zod'
import type { ReactorRow } from '../../db/reactors.ts'
import { parsedExpression } from '../../domain/expression/parse.ts'
import { MOST_CHARACTERS } from '../../domain/expression/tokens.ts'
import { ExpressionProblem } from '../../domain/expression/tree.ts'
import { REACTION_TYPES } from '../../domain/reactor.ts'
import { LIMIT_WINDOWS } from '../../domain/reward.ts'
import { eventTypeName } from './events.ts'
import { id } from './ids.ts'
import { metadata, metadataUpdate, text } from './text.ts'
import { bodyTimeOrNull, time } from './times.ts'

const LONGEST_NAME = 200
const LONGEST_REASON = 255
const MOST_CONDITIONS = 10
const MOST_REACTIONS = 10
const MOST_FIELDS = 20
const MOST_GIVEN = 100 // each of a gift card's is a code to be made while the till waits
const MOST_ACTIVATIONS = 1_000_000 // counted one by one where it is reached
const MOST_ORDER = 1_000_000

/** An expression of the house's own language, refused with the position of what is wrong. */
const expression = text(MOST_CHARACTERS)
  .superRefine((source, ctx) => {
    try {
      parsedExpression(source)
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error
      ctx.addIssue({ code: 'custom', message: error.message })
    }
  })
  .meta({ example: '$.points * -1' })

const adjustPoints = z.strictObject({
  type: z.literal('adjust_points'),
  points: z
    .union([expression, z.number().transform(plainDecimal).pipe(expression)])
    .meta({ type: ['string', 'number'], example: '$.points * -1' }),
  allowNegative: z.boolean().default(true).meta({
    description: 'Whether a debit may take the balance below zero. `?strict=true` overrules it.',
  }),
  reason: text(LONGEST_REASON).optional().meta({ description: "The reactor's name otherwise." }),
})

const setTier = z.strictObject({
  type: z.literal('set_tier'),
  tier: text(LONGEST_NAME).meta({ description: 'Of a program whose tiers are set by hand.' }),
})

const issueReward = z.strictObject({
  type: z.literal('issue_reward'),
  reward: id('rwd'),
  quantity: z.number().int().min(1).max(MOST_GIVEN).default(1),
})

const emitEvent = z.strictObject({
  type: z.literal('emit_event'),
  event: eventTypeName,
  payload: z
    .record(text(LONGEST_NAME), expression)
    .refine(
      (fields) => Object.keys(fields).length <= MOST_FIELDS,
      `has more than ${MOST_FIELDS} fields`,
    )
    .optional()
    .meta({ description: "An expression for each field; the event's own payload otherwise." }),
})

const reaction = z.discriminatedUnion('type', [adjustPoints, setTier, issueReward, emitEvent])

const limit = z.strictObject({
  activations: z.number().int().min(1).max(MOST_ACTIVATIONS),
  window: z.enum(LIMIT_WINDOWS).default('lifetime'),
})

const limits = z.strictObject({ per_user: limit.optional(), in_all: limit.optional() }).meta({
  description:
    "How often it acts, for each member and in all. Windows are of the program's time zone. An edit does not reset them.",
})

const conditions = z
  .union([expression.transform((one) => [one]), z.array(expression).max(MOST_CONDITIONS)])
  .meta({ description: 'All must be true.' })

const settings = {
  name: text(LONGEST_NAME),
  conditions,
  reactions: z.array(reaction).min(1).max(MOST_REACTIONS),
  limits,
  order: z
    .number()
    .int()
    .min(-MOST_ORDER)
    .max(MOST_ORDER)
    .meta({ description: 'Lower ones act first; equal ones in the order of their creation.' }),
  starts_at: bodyTimeOrNull,
  ends_at: bodyTimeOrNull,
  active: z.boolean(),
} as const

/** What follows when an event is reported. */
export const Reactor = z
  .object({
    id: id('rct'),
    object: z.literal('reactor'),
    name: z.string(),
    trigger: z.string(),
    version: z.number().int().meta({ description: 'Counts edits, from 1.' }),
    conditions: z.array(z.string()),
    reactions: z.array(
      z.object({
        type: z.enum(REACTION_TYPES),
        points: z.string().optional(),
        allowNegative: z.boolean().optional(),
        reason: z.string().optional(),
        tier: z.string().optional(),
        reward: id('rwd').optional(),
        quantity: z.number().int().optional(),
        event: z.string().optional(),
        payload: z.record(z.string(), z.string()).optional(),
      }),
    ),
    limits,
    order: z.number().int(),
    starts_at: time.nullable(),
    ends_at: time.nullable(),
    active: z.boolean(),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Reactor', description: 'What follows when an event is reported.' })

const inOrder = ({ starts_at, ends_at }: { starts_at?: Date | null; ends_at?: Date | null }) =>
  !starts_at || !ends_at || starts_at < ends_at
const afterStart = { error: 'must be after starts_at', path: ['ends_at'] }

export const NewReactor = z
  .strictObject({
    name: settings.name,
    trigger: eventTypeName.meta({ description: 'The name of an event type.' }),
    conditions: settings.conditions.default([]),
    reactions: settings.reactions,
    limits: settings.limits.default({}),
    order: settings.order.default(0),
    starts_at: settings.starts_at.default(null),
    ends_at: settings.ends_at.default(null),
    active: settings.active.default(true),
    metadata: metadata.default({}),
  })
  .refine(inOrder, afterStart)
  .meta({ id: 'NewReactor' })

/** What may change about a reactor; its trigger may not. */
export const ReactorUpdate = z
  .strictObject({
    name: settings.name.optional(),
    conditions: settings.conditions.optional(),
    reactions: settings.reactions.optional(),
    limits: settings.limits.optional(),
    order: settings.order.optional(),
    starts_at: settings.starts_at.optional(),
    ends_at: settings.ends_at.optional(),
    active: settings.active.optional(),
    metadata: metadataUpdate.optional(),
  })
  .refine(inOrder, afterStart)
  .meta({ id: 'ReactorUpdate' })

export function reactorObject(row: ReactorRow, livemode: boolean): z.input<typeof Reactor> {
  return {
    id: row.id,
    object: 'reactor' as const,
    name: row.name,
    trigger: row.trigger,
    version: row.version,
    conditions: row.conditions,
    reactions: row.reactions,
    limits: row.limits,
    order: row.position,
    starts_at: row.startsAt?.toISOString() ?? null,
    ends_at: row.endsAt?.toISOString() ?? null,
    active: row.active,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

const EXPONENT = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/

/** A number as an expression reads it: every digit, without an exponent. */
function plainDecimal(value: number): string {
  const [, sign, whole, fraction = '', exponent] = EXPONENT.exec(String(value)) ?? []
  if (sign === undefined) return String(value)
  const digits = `${whole}${fraction}`
  const places = Number(exponent) - fraction.length
  return places >= 0
    ? `${sign}${digits}${'0'.repeat(places)}`
    : `${sign}0.${digits.padStart(-places, '0')}`
}
