import { isDeepStrictEqual } from 'node:util'
import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleOverlapPolicy,
} from '@temporalio/client'
import type { Engine } from './engine.ts'
import { within } from './within.ts'

const CALL_MS = 30_000 // at a worker's start: the server may just be starting as well

/** A workflow without arguments, started every `everyMs`, counted from the epoch plus `offsetMs`; never twice at once. */
export type Regular = {
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
export async function keepSchedule(
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
