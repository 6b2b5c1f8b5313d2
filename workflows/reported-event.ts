import { patched, setCurrentDetails } from '@temporalio/workflow'
import type { ReportedEventActivities } from '../activities/reported-event.ts'
import type { ReportedEventEnding, ReportedEventInput } from './inputs.ts'
import { Mailbox } from './mailbox.ts'
import { reportedEvent as previousReportedEvent } from './previous/reported-event.ts'
import { writes } from './write.ts'

const write = writes<ReportedEventActivities>()

/**
 * An event that was accepted, and whose request could not learn what became of it: it is done here, once
 * by its eventId, or was done already. What happens in the request needs no run: it is one transaction.
 */
export async function reportedEvent(input: ReportedEventInput): Promise<ReportedEventEnding> {
  if (!patched('row-changed')) return previousReportedEvent(input)
  const { facts, revision, ...event } = input
  const mailbox = new Mailbox(facts ?? null, revision)
  setCurrentDetails(`${event.type} of ${event.user}: waits for the database.`)
  for (;;) {
    mailbox.handle()
    const done = await mailbox.act(() => write(({ reportEvent }) => reportEvent(event)))
    if (done === null) continue
    const { outcome } = done
    const summary = SUMMARIES[outcome]
    setCurrentDetails(summary)
    return { eventId: event.eventId, outcome, story: summary }
  }
}

const SUMMARIES = {
  processed: 'Done here; the till learns it when it asks again.',
  replayed: 'The request had done it after all, or the till had asked again.',
  refused: 'Refused by the ledger meanwhile: nothing was written.',
  failed: 'Refused, because a reactor failed: nothing was written.',
  missing: 'The member is gone: nothing was written.',
  no_type: 'The event type is gone: nothing was written.',
} as const
