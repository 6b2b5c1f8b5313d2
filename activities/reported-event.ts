import type { Dependencies } from '../app/dependencies.ts'
import { type EventReport, reportedEventCommands } from '../app/reported-events.ts'

export type ReportedEventActivities = ReturnType<typeof reportedEventActivities>

/** What the run of an event does whose request could not. */
export function reportedEventActivities(dependencies: Dependencies) {
  const { reportEvent } = reportedEventCommands(dependencies)
  return { reportEvent: (report: EventReport) => reportEvent(report) }
}
