import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client'
import proto from '@temporalio/proto'
import type { NativeConnection } from '@temporalio/worker'
import {
  NET_SCHEDULE_ID,
  NET_WORKFLOW_ID,
  SEARCH_ATTRIBUTES,
  WORKFLOW,
} from '../workflows/messages.ts'
import type { Engine } from './engine.ts'

/** Registers the search attributes that the namespace lacks. Safe to repeat. */
export async function registerSearchAttributes(
  connection: NativeConnection,
  namespace: string,
): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = SEARCH_ATTRIBUTES.filter(({ name }) => !(name in (customAttributes ?? {})))
  if (missing.length === 0) return
  const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(({ name }) => [name, keyword])),
  })
}

/** Creates the schedule of the net, every minute, unless it is there. */
export async function scheduleNet({ client, taskQueue }: Engine): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: NET_SCHEDULE_ID,
      spec: { intervals: [{ every: '1 minute' }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
      action: {
        type: 'startWorkflow',
        workflowType: WORKFLOW.net,
        workflowId: NET_WORKFLOW_ID,
        taskQueue,
        args: [],
      },
    })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
  }
}
