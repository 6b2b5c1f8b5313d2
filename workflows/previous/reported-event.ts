import { proxyLocalActivities, setCurrentDetails } from '@temporalio/workflow'
import type { ReportedEventActivities } from '../../activities/reported-event.ts'
import type { ReportedEventEnding, ReportedEventInput } from '../inputs.ts'

// Retried without limit: what was accepted is done when the database is back, however long that takes.
const { reportEvent } = proxyLocalActivities<ReportedEventActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

/**
 * An event that was accepted, and whose request could not learn what became of it: it is done here, once
 * by its eventId, or was done already. What happens in the request needs no run: it is one transaction.
 */
export async function reportedEvent(input: ReportedEventInput): Promise<ReportedEventEnding> {
  setCurrentDetails(`${input.type} of ${input.user}: waits for the database.`)
  const { outcome } = await reportEvent(input)
  const summary = SUMMARIES[outcome]
  setCurrentDetails(summary)
  return { eventId: input.eventId, outcome, story: summary }
}

const SUMMARIES = {
  processed: 'Done here; the till learns it when it asks again.',
  replayed: 'The request had done it after all, or the till had asked again.',
  refused: 'Refused by the ledger meanwhile: nothing was written.',
  failed: 'Refused, because a reactor failed: nothing was written.',
  missing: 'The member is gone: nothing was written.',
  no_type: 'The event type is gone: nothing was written.',
} as const
