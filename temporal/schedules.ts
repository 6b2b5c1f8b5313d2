import { isDeepStrictEqual } from 'node:util'
import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleOverlapPolicy,
} from '@temporalio/client'
import { type Engine, within } from './engine.ts'
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

const CALL_MS = 30_000 // at a worker's start: the server may just be starting as well

/** A workflow without arguments, started every `everyMs`, counted from the epoch plus `offsetMs`; never twice at once. */
type Regular = {
  readonly id: string
  readonly workflowType: string
  readonly workflowId: string
  readonly everyMs: number
  readonly offsetMs?: number
  /** A start missed by more, while the server was down, is left out. */
  readonly catchupMs: number
}

/**
 * Creates the schedule, or brings the one there is up to date with this version of the product. What an
 * operator did to it, a pause and its note, stays; one that is as it should be is left alone.
 */
async function keepSchedule(
  engine: Engine,
  { id, workflowType, workflowId, everyMs, offsetMs = 0, catchupMs }: Regular,
): Promise<void> {
  const { schedule } = engine.client
  const { taskQueue } = engine
  const wanted = {
    spec: { intervals: [{ every: everyMs, offset: offsetMs }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchupMs },
    action: {
      type: 'startWorkflow' as const,
      workflowType,
      workflowId,
      taskQueue,
      args: [],
    },
  }
  try {
    await within(engine, () => schedule.create({ scheduleId: id, ...wanted }), CALL_MS)
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    const handle = schedule.getHandle(id)
    if (isAsWanted(await within(engine, () => handle.describe(), CALL_MS), wanted)) return
    await within(engine, () => handle.update(({ state }) => ({ ...wanted, state })), CALL_MS)
  }
}

type ScheduleState = Pick<ScheduleDescription, 'spec'> & {
  policies: { overlap: string; catchupWindow: number }
  action: { workflowType: string; workflowId: string; taskQueue: string }
}

function isAsWanted(
  { spec, policies, action }: ScheduleDescription,
  wanted: ScheduleState,
): boolean {
  const { workflowType, workflowId, taskQueue } = wanted.action
  return (
    spec.calendars?.length === 0 &&
    isDeepStrictEqual(spec.intervals, wanted.spec.intervals) &&
    policies.overlap === wanted.policies.overlap &&
    policies.catchupWindow === wanted.policies.catchupWindow &&
    action.workflowType === workflowType &&
    action.workflowId === workflowId &&
    action.taskQueue === taskQueue
  )
}

/** Whether the batch of a date that many accounts share is at work now, by the visibility store. */
export async function isExpiryBatchRunning(engine: Engine): Promise<boolean> {
  const query = `WorkflowType = '${WORKFLOW.expiryBatch}' AND ExecutionStatus = 'Running' AND TaskQueue = '${engine.taskQueue}'`
  const { count } = await within(engine, () => engine.client.workflow.count(query))
  return count > 0
}
