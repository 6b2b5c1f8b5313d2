import { z } from 'zod'
import type { ReportedEventRow } from '../../db/reported-events.ts'
import { pointsOf } from '../../domain/points.ts'
import { id } from '../values/id.ts'
import { points } from '../values/points.ts'
import { text } from '../values/text.ts'
import { bodyTime, time } from '../values/time.ts'
import { eventTypeName } from './event-type.ts'

const LONGEST_EVENT_ID = 200
const LONGEST_USER = 200

/** What a till reports. Extended by what else a till may ask of it. */
export const NewReportedEvent = z
  .strictObject({
    type: eventTypeName,
    user: text(LONGEST_USER).meta({
      description: 'Whose event it is: an id `loy_…`.',
      example: 'loy_8sd2k1',
    }),
    payload: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ example: { points: 500 } }),
    timestamp: bodyTime.optional().meta({ description: 'When it happened; now otherwise.' }),
    eventId: text(LONGEST_EVENT_ID).optional().meta({
      description:
        "The till's own id of it. The same one again changes nothing and is answered as the first.",
    }),
  })
  .meta({ id: 'NewReportedEvent' })

const Outcome = z
  .object({
    reactor: id('rct'),
    name: z.string(),
    outcome: z.enum(['activated', 'skipped', 'failed']),
    reason: z
      .enum([
        'inactive',
        'not_started',
        'ended',
        'condition_false',
        'limit_reached',
        'expression_failed',
        'insufficient_points',
        'no_such_tier',
      ])
      .optional(),
    explanation: z.string(),
    required: points.optional(),
    available: points.optional(),
    missing: points.optional(),
    reactions: z.array(
      z.object({
        type: z.enum(['adjust_points', 'set_tier', 'emit_event']),
        points: points.optional().meta({ description: 'Signed.' }),
        transaction: id('ptx').nullable().optional(),
        balance_after: points.optional(),
        tier: z.string().optional(),
        event_type: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'ReactorOutcome', description: 'What one reactor made of an event, and why.' })

/** A reported event and all that became of it. */
export const ReportedEvent = z
  .object({
    id: id('evt')
      .optional()
      .meta({ description: 'Absent on a dry run, and while it is only accepted.' }),
    object: z.literal('reported_event'),
    status: z.enum(['processed', 'accepted', 'dry_run']).meta({
      description: '`accepted`: it will be processed, once; ask again with its `eventId`.',
    }),
    type: z.string(),
    eventId: z.string().meta({ description: 'As sent, or the one it was given.' }),
    user: z.string(),
    account: id('loy').optional(),
    strict: z.boolean(),
    points: points.optional().meta({ description: 'The sum of what it moved, signed.' }),
    balance: points.optional().meta({ description: 'After it.' }),
    reactors: z.array(Outcome),
    timestamp: time.optional(),
    created_at: time.optional(),
    livemode: z.boolean(),
  })
  .meta({
    id: 'ReportedEvent',
    description: 'An event that a till reported, and what became of it.',
  })

/** As stored; points in the program's decimals. */
export function reportedEventObject(
  row: ReportedEventRow,
  { decimals, livemode, dryRun = false }: { decimals: number; livemode: boolean; dryRun?: boolean },
) {
  const shown = (units: number) => pointsOf(units, decimals)
  return {
    ...(!dryRun && { id: row.id }),
    object: 'reported_event' as const,
    status: dryRun ? ('dry_run' as const) : ('processed' as const),
    type: row.type,
    eventId: row.eventId,
    user: row.user,
    account: row.account,
    strict: row.strict,
    points: shown(row.points),
    balance: shown(row.balanceAfter),
    reactors: row.outcomes.map((outcome) => outcomeObject(outcome, shown, dryRun)),
    timestamp: row.occurredAt.toISOString(),
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

type StoredOutcome = ReportedEventRow['outcomes'][number]

function outcomeObject(
  stored: StoredOutcome,
  shown: (units: number) => number,
  dryRun: boolean,
): z.input<typeof Outcome> {
  const { reactor, name, outcome, reason, explanation, required, available, missing } = stored
  return {
    reactor,
    name,
    outcome,
    ...(reason !== undefined && { reason: reason as z.input<typeof Outcome>['reason'] }), // written by reactor_act
    explanation,
    ...(required !== undefined && { required: shown(required) }),
    ...(available !== undefined && { available: shown(available) }),
    ...(missing !== undefined && { missing: shown(missing) }),
    reactions: stored.reactions.map(
      ({ type, amount, transaction, balance_after, tier, event_type }) => ({
        type,
        ...(amount !== undefined && { points: shown(amount) }),
        // what a dry run wrote is taken back: its ids name nothing
        ...(transaction !== undefined && { transaction: dryRun ? null : transaction }),
        ...(balance_after !== undefined && { balance_after: shown(balance_after) }),
        ...(tier !== undefined && { tier }),
        ...(event_type !== undefined && { event_type }),
      }),
    ),
  }
}
