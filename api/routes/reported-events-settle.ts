import { z } from 'zod'
import { type Command, changeRedemption } from '../../app/redemptions.ts'
import { notFound } from '../../app/refusals.ts'
import { findReportedEvent } from '../../db/reported-events.ts'
import type { RedemptionResult } from '../../db/results/redemption.ts'
import { derivedId } from '../../domain/ids.ts'
import { ReportedEvent, reportedEventObject } from '../schemas/reported-events.ts'
import { text } from '../schemas/text.ts'
import { withAlias } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { endpoint } from '../server/endpoint.ts'
import { updated } from '../server/replies.ts'

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

type HoldContext = { workspace: string; livemode: boolean; params: { id: string }; deps: Deps }

export const confirmEvent = withAlias('/events/{id}/confirm', (path) =>
  endpoint({
    ...settling,
    path,
    summary: 'Confirm a held event',
    description:
      'The sale went through: the points stay taken. `{id}` is the event’s `eventId` or `id`. A repeat is answered as the first; one whose points have returned is refused.',
    handle: (ctx) => settle(ctx, 'confirm', ctx.deps.commands.confirmRedemption),
  }),
)

export const cancelEvent = withAlias('/events/{id}/cancel', (path) =>
  endpoint({
    ...settling,
    path,
    summary: 'Cancel a held event',
    description:
      'The sale failed: the points return at once. `{id}` is the event’s `eventId` or `id`. A repeat is answered as the first.',
    handle: (ctx) =>
      settle(ctx, 'cancel', (command) =>
        ctx.deps.commands.cancelRedemption({ ...command, reason: 'canceled_at_till' }),
      ),
  }),
)

/** Sends the redemption that holds the event's points its command. The operation is the event's own: a till needs no key to repeat it. */
async function settle(
  { workspace, livemode, params, deps }: HoldContext,
  verb: 'confirm' | 'cancel',
  change: (command: Command) => Promise<RedemptionResult>,
) {
  const row = await findReportedEvent(deps.pool, workspace, params.id)
  if (row === undefined || row.redemption === null) return notFound('held event', params.id)
  const command = {
    workspace,
    redemption: row.redemption,
    operation: derivedId('op', workspace, verb, row.id),
    fingerprint: verb,
    at: null,
  }
  const settled = await changeRedemption(command, change)
  const decimals = await deps.decimals.ofProgram(workspace, row.program)
  return updated(settled, (held) => reportedEventObject(row, { decimals, livemode, held }))
}
