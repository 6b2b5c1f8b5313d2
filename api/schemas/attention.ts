import { z } from 'zod'
import type { AttentionRow } from '../../db/attention.ts'
import {
  ATTENTION_KINDS,
  ATTENTION_STATUSES,
  attentionStatus,
  SETTLED_BY,
} from '../../domain/attention.ts'
import { id } from './ids.ts'
import { text } from './text.ts'
import { bodyTime, time } from './times.ts'

const LONGEST_REASON = 500
const reason = text(LONGEST_REASON)

export const AttentionSnooze = z
  .strictObject({ until: bodyTime, reason })
  .meta({ id: 'AttentionSnooze', description: 'Until when nobody is to be shown it, and why.' })

export const AttentionResolution = z
  .strictObject({ reason })
  .meta({ id: 'AttentionResolution', description: 'What was done about it, in a person’s words.' })

/** Something that needs a person. */
export const AttentionItem = z
  .object({
    id: id('att'),
    object: z.literal('attention_item'),
    kind: z.enum(ATTENTION_KINDS),
    object_id: z.string().meta({
      description: 'What it is about: a redemption, payment, endpoint, code pool, import or run.',
    }),
    since: time,
    last_at: time.meta({ description: 'When it was last noticed.' }),
    times: z.number().int().meta({ description: 'How often it was noticed.' }),
    details: z.looseObject({}),
    settled_by: z.array(z.string()).meta({
      description: 'The routes by which a person settles it, with its object’s id in their paths.',
    }),
    status: z.enum(ATTENTION_STATUSES),
    snoozed_until: time.nullable(),
    settled_at: time.nullable(),
    decision: z
      .object({
        verb: z.enum(['snoozed', 'resolved']),
        reason: z.string(),
        actor: z.object({
          type: z.enum(['user', 'api_key']),
          id: z.string(),
          name: z.string().nullable(),
        }),
        at: time,
      })
      .nullable()
      .meta({ description: 'Who snoozed or resolved it last; null where nobody did.' }),
    livemode: z.boolean(),
  })
  .meta({ id: 'AttentionItem', description: 'Something that needs a person.' })

/** A provider's own payload stays in the database: it may say who somebody is. */
export function presentAttention(
  row: AttentionRow,
  livemode: boolean,
): z.input<typeof AttentionItem> {
  const { payload: _, ...details } = row.details
  return {
    id: row.id,
    object: 'attention_item',
    kind: row.kind,
    object_id: row.object,
    since: row.since.toISOString(),
    last_at: row.lastAt.toISOString(),
    times: row.times,
    details,
    settled_by: SETTLED_BY[row.kind].map((route) =>
      route.replace('{id}', row.object).replace('{item}', row.id),
    ),
    status: attentionStatus(row, new Date()),
    snoozed_until: row.snoozedUntil?.toISOString() ?? null,
    settled_at: row.settledAt?.toISOString() ?? null,
    decision: row.decision,
    livemode,
  }
}
