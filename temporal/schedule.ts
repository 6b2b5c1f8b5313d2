import { isDeepStrictEqual } from 'node:util'
import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleOverlapPolicy,
} from '@temporalio/client'
import type { Engine } from './engine.ts'

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
  { client, taskQueue }: Engine,
  { id, workflowType, workflowId, everyMs, offsetMs = 0, catchupMs }: Regular,
): Promise<void> {
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
    await client.schedule.create({ scheduleId: id, ...wanted })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    const handle = client.schedule.getHandle(id)
    if (isAsWanted(await handle.describe(), wanted)) return
    await handle.update(({ state }) => ({ ...wanted, state }))
  }
}

type Wanted = Pick<ScheduleDescription, 'spec'> & {
  policies: { overlap: string; catchupWindow: number }
  action: { workflowType: string; workflowId: string; taskQueue: string }
}

function isAsWanted({ spec, policies, action }: ScheduleDescription, wanted: Wanted): boolean {
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
