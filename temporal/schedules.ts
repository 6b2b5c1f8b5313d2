import type { Engine } from './engine.ts'
import {
  CREDIT_EXPIRY_SCHEDULE_ID,
  CREDIT_EXPIRY_WORKFLOW_ID,
  EXPIRY_BATCH_SCHEDULE_ID,
  EXPIRY_BATCH_WORKFLOW_ID,
  LEDGER_TOTALS_SCHEDULE_ID,
  LEDGER_TOTALS_WORKFLOW_ID,
  LIABILITY_SNAPSHOT_SCHEDULE_ID,
  LIABILITY_SNAPSHOT_WORKFLOW_ID,
  RECONCILER_SCHEDULE_ID,
  RECONCILER_WORKFLOW_ID,
  WORKFLOW,
} from './names.ts'
import { keepSchedule, type Regular } from './schedule.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const RECONCILER: Regular = {
  id: RECONCILER_SCHEDULE_ID,
  workflowId: RECONCILER_WORKFLOW_ID,
  workflowType: WORKFLOW.reconciler,
  everyMs: MINUTE_MS,
  catchupMs: MINUTE_MS,
}

const LEDGER: readonly Regular[] = [
  // Every zone's midnight falls on a minute, and the dates of imported points have no run of their own.
  {
    id: EXPIRY_BATCH_SCHEDULE_ID,
    workflowId: EXPIRY_BATCH_WORKFLOW_ID,
    workflowType: WORKFLOW.expiryBatch,
    everyMs: MINUTE_MS,
    catchupMs: MINUTE_MS,
  },
  {
    id: CREDIT_EXPIRY_SCHEDULE_ID,
    workflowId: CREDIT_EXPIRY_WORKFLOW_ID,
    workflowType: WORKFLOW.creditExpiry,
    everyMs: 15 * MINUTE_MS,
    offsetMs: MINUTE_MS, // after the points' own
    catchupMs: 15 * MINUTE_MS,
  },
  {
    id: LEDGER_TOTALS_SCHEDULE_ID,
    workflowId: LEDGER_TOTALS_WORKFLOW_ID,
    workflowType: WORKFLOW.ledgerTotals,
    everyMs: MINUTE_MS,
    catchupMs: MINUTE_MS,
  },
  // Five past midnight, UTC: the day is over, and a server that was down catches up within the day.
  {
    id: LIABILITY_SNAPSHOT_SCHEDULE_ID,
    workflowId: LIABILITY_SNAPSHOT_WORKFLOW_ID,
    workflowType: WORKFLOW.liabilitySnapshot,
    everyMs: DAY_MS,
    offsetMs: 5 * MINUTE_MS,
    catchupMs: DAY_MS,
  },
]

/** All of them, as the pages in docs/ list them. */
export const SCHEDULES: readonly Regular[] = [RECONCILER, ...LEDGER]

/** The schedule of the reconciler, every minute. */
export const scheduleReconciler = (engine: Engine): Promise<void> =>
  keepSchedule(engine, RECONCILER)

/** The schedules of expiry, store credit, totals and snapshots. */
export async function scheduleLedger(engine: Engine): Promise<void> {
  for (const regular of LEDGER) await keepSchedule(engine, regular)
}
