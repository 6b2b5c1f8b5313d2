import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from '@temporalio/client'
import {
  CREDIT_EXPIRY_SCHEDULE_ID,
  CREDIT_EXPIRY_WORKFLOW_ID,
  EXPIRY_BATCH_SCHEDULE_ID,
  EXPIRY_BATCH_WORKFLOW_ID,
  LEDGER_TOTALS_SCHEDULE_ID,
  LEDGER_TOTALS_WORKFLOW_ID,
  LIABILITY_SNAPSHOT_SCHEDULE_ID,
  LIABILITY_SNAPSHOT_WORKFLOW_ID,
  WORKFLOW,
} from '../workflows/messages.ts'
import type { Engine } from './engine.ts'

type Regular = {
  id: string
  workflow: string
  type: string
  spec: ScheduleSpec
  catchup: `${number} minutes`
}

const REGULAR: readonly Regular[] = [
  // Every zone's midnight falls on a minute, and the dates of imported points have no run of their own.
  {
    id: EXPIRY_BATCH_SCHEDULE_ID,
    workflow: EXPIRY_BATCH_WORKFLOW_ID,
    type: WORKFLOW.expiryBatch,
    spec: { intervals: [{ every: '1 minute' }] },
    catchup: '1 minutes',
  },
  {
    id: CREDIT_EXPIRY_SCHEDULE_ID,
    workflow: CREDIT_EXPIRY_WORKFLOW_ID,
    type: WORKFLOW.creditExpiry,
    spec: { intervals: [{ every: '15 minutes', offset: '1 minute' }] }, // after the points' own
    catchup: '15 minutes',
  },
  {
    id: LEDGER_TOTALS_SCHEDULE_ID,
    workflow: LEDGER_TOTALS_WORKFLOW_ID,
    type: WORKFLOW.ledgerTotals,
    spec: { intervals: [{ every: '1 minute' }] },
    catchup: '1 minutes',
  },
  // Five past midnight, UTC: the day is over, and a server that was down catches up within the day.
  {
    id: LIABILITY_SNAPSHOT_SCHEDULE_ID,
    workflow: LIABILITY_SNAPSHOT_WORKFLOW_ID,
    type: WORKFLOW.liabilitySnapshot,
    spec: { intervals: [{ every: '24 hours', offset: '5 minutes' }] },
    catchup: '1440 minutes',
  },
]

/** Creates the schedules of expiry, store credit, totals and snapshots unless they are there. */
export async function scheduleLedger({ client, taskQueue }: Engine): Promise<void> {
  for (const { id, workflow, type, spec, catchup } of REGULAR) {
    try {
      await client.schedule.create({
        scheduleId: id,
        spec,
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchup },
        action: {
          type: 'startWorkflow',
          workflowType: type,
          workflowId: workflow,
          taskQueue,
          args: [],
        },
      })
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error
    }
  }
}
