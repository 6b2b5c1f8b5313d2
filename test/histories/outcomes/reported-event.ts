import { newId } from '../../../domain/ids.ts'
import { reportedEventWorkflowId } from '../../../temporal/names.ts'
import { finishReportedEvent } from '../../../temporal/reported-event.ts'
import type { Outcomes } from './outcome.ts'

export const reportedEventOutcomes: Outcomes = {
  'event handed over by a request that lost the database': async (house) => {
    const at = new Date().toISOString()
    const eventId = newId('op')
    await house.owner.query(
      `insert into event_type (workspace, id, name, schema) values ($1, 'ety_recorded', 'RECORDED', '{}')`,
      [house.workspace],
    )
    await finishReportedEvent(house.engine, {
      workspace: house.workspace,
      id: newId('evt'),
      eventId,
      fingerprint: 'test',
      type: 'RECORDED',
      user: 'loy_8sd2k1',
      payload: { points: 1 },
      occurredAt: at,
      strict: false,
      dryRun: false,
      reactors: 'active',
    })
    return reportedEventWorkflowId(house.workspace, eventId)
  },
}
