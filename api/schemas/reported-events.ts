import { z } from 'zod'
import type { RedemptionRow } from '../../db/redemptions.ts'
import type { ReportedEventRow } from '../../db/reported-events.ts'
import { pointsOf } from '../../domain/points.ts'
import { REACTION_TYPES, REACTOR_OUTCOMES } from '../../domain/reactor.ts'
import { points } from './amounts.ts'
import { eventTypeName } from './events.ts'
import { id } from './ids.ts'
import { jsonObject, text } from './text.ts'
import { bodyTime, time } from './times.ts'

const LONGEST_EVENT_ID = 200
const LONGEST_USER = 200

/** What a till reports. Extended by what else a till may ask of it. */
export const NewReportedEvent = z
  .strictObject({
    type: eventTypeName,
    user: text(LONGEST_USER).meta({
      description: 'Whose event it is: an id `loy_…`, or a registered external id.',
      example: 'loy_8sd2k1',
    }),
    payload: jsonObject.default({}).meta({ example: { points: 500 } }),
    timestamp: bodyTime.optional().meta({ description: 'When it happened; now otherwise.' }),
    eventId: text(LONGEST_EVENT_ID)
      .refine((eventId) => !id('evt').safeParse(eventId).success, {
        error: 'looks like an id of ours (evt_…): an event is also known by that',
      })
      .optional()
      .meta({
        description:
          "The till's own id of it, which may not look like one of ours (`evt_…`). The same one again changes nothing and is answered as the first.",
      }),
    reverses: text(LONGEST_EVENT_ID).optional().meta({
      description:
        'The `eventId` of an earlier event: what that one moved is undone, once, and no reactor acts.',
    }),
    hold: z.boolean().optional().meta({
      description:
        'Holds the points until the event is confirmed; without that they return by themselves.',
    }),
  })
  .meta({ id: 'NewReportedEvent' })

const Outcome = z
  .object({
    reactor: id('rct'),
    name: z.string(),
    outcome: z.enum(REACTOR_OUTCOMES),
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
        'resource_missing',
        'reward_inactive',
        'reward_not_started',
        'reward_ended',
        'reward_out_of_stock',
        'tier_required',
      ])
      .optional(),
    explanation: z.string(),
    required: points.optional(),
    available: points.optional(),
    missing: points.optional(),
    reactions: z.array(
      z.object({
        type: z.enum(REACTION_TYPES),
        points: points.optional().meta({ description: 'Signed.' }),
        transaction: id('ptx').nullable().optional(),
        balance_after: points.optional(),
        tier: z.string().optional(),
        reward: id('rwd').optional(),
        quantity: z.number().int().optional(),
        redemption: id('rdm').nullable().optional(),
        event_type: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'ReactorOutcome', description: 'What one reactor made of an event, and why.' })

/** Where the points of a held event are, until the till confirms. */
const EventHold = z
  .object({
    redemption: id('rdm'),
    status: z.enum(['held', 'confirmed', 'returned']),
    expires_at: time.nullable().meta({ description: 'When the points return by themselves.' }),
    discount: z.object({ amount: z.number().int(), currency: z.string() }).optional(),
  })
  .meta({ id: 'EventHold' })

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
    reverses: z.string().optional().meta({ description: 'The `eventId` of what it undid.' }),
    undone: z
      .array(z.object({ transaction: id('ptx'), points, reverses: id('ptx') }))
      .optional()
      .meta({ description: 'The transactions that undid it, and which ones they undid.' }),
    hold: EventHold.optional(),
    timestamp: time.optional(),
    created_at: time.optional(),
    livemode: z.boolean(),
  })
  .meta({
    id: 'ReportedEvent',
    description: 'An event that a till reported, and what became of it.',
  })

type HoldRow = Pick<RedemptionRow, 'id' | 'status' | 'expiresAt' | 'discount'>
type Presentation = {
  decimals: number
  livemode: boolean
  dryRun?: boolean
  held?: HoldRow | undefined
}

/** As stored; points in the program's decimals. `held` is the redemption of one that holds. */
export function reportedEventObject(
  row: ReportedEventRow,
  { decimals, livemode, dryRun = false, held }: Presentation,
): z.input<typeof ReportedEvent> {
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
    ...(row.reverses !== null && { reverses: row.reverses }),
    ...(row.undone !== null && {
      undone: row.undone.map(({ amount, ...named }) => ({ ...named, points: shown(amount) })),
    }),
    ...(held !== undefined && { hold: holdObject(held) }),
    timestamp: row.occurredAt.toISOString(),
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

function holdObject({ id: redemption, status, expiresAt, discount }: HoldRow) {
  return {
    redemption,
    status: HOLD_STATUS[status],
    expires_at: expiresAt?.toISOString() ?? null,
    ...(discount !== null &&
      'amount' in discount && {
        discount: { amount: discount.amount, currency: discount.currency },
      }),
  }
}

const HOLD_STATUS = {
  pending: 'held',
  fulfillment_pending: 'held',
  applied: 'confirmed',
  fulfilled: 'confirmed',
  released: 'returned',
  reversed: 'returned',
} as const

function giftObject(
  { reward, quantity, redemption }: Pick<StoredReaction, 'reward' | 'quantity' | 'redemption'>,
  dryRun: boolean,
) {
  return {
    ...(reward !== undefined && { reward }),
    ...(quantity !== undefined && { quantity }),
    redemption: dryRun ? null : (redemption ?? null),
  }
}

type StoredReaction = StoredOutcome['reactions'][number]
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
      ({ type, amount, transaction, balance_after, tier, event_type, ...gift }) => ({
        type,
        ...(amount !== undefined && { points: shown(amount) }),
        // what a dry run wrote is taken back: its ids name nothing
        ...(transaction !== undefined && { transaction: dryRun ? null : transaction }),
        ...(balance_after !== undefined && { balance_after: shown(balance_after) }),
        ...(tier !== undefined && { tier }),
        ...(type === 'issue_reward' && giftObject(gift, dryRun)),
        ...(event_type !== undefined && { event_type }),
      }),
    ),
  }
}
