import { z } from 'zod'
import { findReportedEvent } from '../../db/reported-events.ts'
import { derivedId } from '../../domain/ids.ts'
import { cancel, confirm } from '../../temporal/redemption-asks.ts'
import { atBothPaths } from '../both-paths.ts'
import type { Deps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { ReportedEvent, reportedEventObject } from '../objects/reported-event.ts'
import { notFound } from '../points-refusal.ts'
import { askRun } from '../redemptions/ask.ts'
import { text } from '../values/text.ts'
import { heldBy } from './act.ts'

const LONGEST_EVENT_ID = 200

const settling = {
  method: 'POST',
  tags: ['tills'],
  key: 'secret',
  params: z.strictObject({ id: text(LONGEST_EVENT_ID) }),
  body: z.strictObject({}),
  reply: ReportedEvent,
  errors: [
    'resource_missing',
    'redemption_already_settled',
    'redemption_already_attached',
    'payment_processing',
  ],
} as const

type Settling = { workspace: string; livemode: boolean; params: { id: string }; deps: Deps }

export const confirmEvent = atBothPaths('/events/{id}/confirm', (path) =>
  endpoint({
    ...settling,
    path,
    summary: 'Confirm a held event',
    description:
      'The sale went through: the points stay taken. `{id}` is the event’s `eventId` or `id`. A repeat is answered as the first; one whose points have returned is refused.',
    handle: (ctx) => settle(ctx, 'confirm', (asking) => askRun(asking, confirm, {}, 'applied')),
  }),
)

export const cancelEvent = atBothPaths('/events/{id}/cancel', (path) =>
  endpoint({
    ...settling,
    path,
    summary: 'Cancel a held event',
    description:
      'The sale failed: the points return at once. `{id}` is the event’s `eventId` or `id`. A repeat is answered as the first.',
    handle: (ctx) =>
      settle(ctx, 'cancel', (asking) =>
        askRun(asking, cancel, { reason: 'canceled_at_till' }, 'released'),
      ),
  }),
)

type Asking = Parameters<typeof askRun>[0]

/** Asks the run that holds the event's points. The operation is the event's own: a till needs no key to repeat it. */
async function settle(
  { workspace, livemode, params, deps }: Settling,
  verb: 'confirm' | 'cancel',
  ask: (asking: Asking) => Promise<{ replayed: boolean }>,
) {
  const row = await findReportedEvent(deps.pool, workspace, params.id)
  if (row === undefined || row.redemption === null) return notFound('held event', params.id)
  const { replayed } = await ask({
    workspace,
    livemode,
    params: { id: row.redemption },
    idempotencyKey: verb,
    operation: derivedId('op', workspace, verb, row.id),
    fingerprint: verb,
    deps,
  })
  const decimals = await deps.decimals.ofProgram(workspace, row.program)
  const held = await heldBy(deps, row)
  const object = reportedEventObject(row, { decimals, livemode, held })
  return { status: 'ok' as const, replayed, object }
}
