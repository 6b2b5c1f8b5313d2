import type { RecordedActor } from './actor.ts'

/** The shape of what an event carries; raised where a field changes its meaning. */
const API_VERSION = '2026-06-01'

type Fields = Readonly<Record<string, unknown>>

type EventFacts = {
  readonly id: string
  readonly type: string
  readonly createdAt: Date
  readonly actor: RecordedActor | null
}

/** An event as the API and webhooks show it: the object flat in `data`, and what changed in `data.previous`. */
export function eventObject(
  { id, type, createdAt, actor }: EventFacts,
  livemode: boolean,
  data: Fields,
  before: Fields | null,
) {
  return {
    id,
    object: 'event' as const,
    type,
    api_version: API_VERSION,
    created: Math.floor(createdAt.getTime() / 1_000),
    created_at: createdAt.toISOString(),
    livemode,
    actor,
    data: { ...data, ...(before !== null && { previous: changedIn(before, data) }) },
  }
}

/** The fields of `before` that are not the same in `after`. */
function changedIn(before: Fields, after: Fields): Fields {
  return Object.fromEntries(
    Object.entries(before).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(after[name]),
    ),
  )
}

// Whatever begins so is the platform's own: written by the ledger, or reported by a payment's provider.
const OWN = [
  'loyalty',
  'payment',
  'refund',
  'dispute',
  'charge',
  'invoice',
  'subscription',
  'referral',
  'customer',
  'program',
  'webhook_endpoint',
  'approval',
]

/** Whether events of this type are the platform's alone: nobody else may define or report them. */
export function isIntrinsic(type: string): boolean {
  return OWN.includes(type.split('.', 1)[0] ?? '')
}
