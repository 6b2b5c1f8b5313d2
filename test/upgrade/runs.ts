import { readFile } from 'node:fs/promises'
import type { Client } from '@temporalio/client'
import proto from '@temporalio/proto'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'

// What it says of each replay is noise here.
Runtime.install({ logger: new DefaultLogger('ERROR') })

const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1
const OF_SCHEDULES = /^(net|reconcile|expiry-batch|ledger-totals|liability-snapshot|credit-expiry)/
const FINE = ['RUNNING', 'COMPLETED', 'CONTINUED_AS_NEW']

export type Run = { id: string; status: string; history: proto.temporal.api.history.v1.IHistory }

/** Every run that a row has, with its history; those of schedules are left out. */
export async function runsOf(client: Client): Promise<Run[]> {
  const runs: Run[] = []
  for await (const { workflowId, runId, status } of client.workflow.list()) {
    if (OF_SCHEDULES.test(workflowId)) continue
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    runs.push({ id: workflowId, status: status.name, history })
  }
  return runs
}

/** One line for each run that has failed, and for each task of a run that has. */
export function troubleOf(runs: readonly Run[]): string[] {
  return runs.flatMap(({ id, status, history }) => [
    ...(FINE.includes(status) ? [] : [`${id}: ${status}`]),
    ...(history.events ?? [])
      .filter(isFailedTask)
      .map(({ workflowTaskFailedEventAttributes: why }) => `${id}: ${why?.failure?.message}`),
  ])
}

/** A task that met a message while it was under way is only done again. */
function isFailedTask({
  eventType,
  workflowTaskFailedEventAttributes: why,
}: proto.temporal.api.history.v1.IHistoryEvent): boolean {
  return (
    eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED &&
    why?.cause !== WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
  )
}

/** One line for each run whose history the present workflows would not have written. */
export async function doNotReplay(runs: readonly Run[], bundlePath: string): Promise<string[]> {
  const workflowBundle = { code: await readFile(bundlePath, 'utf8') }
  const begun = runs.filter(({ history }) => (history.events ?? []).some(isTaskDone))
  const replays = Worker.runReplayHistories(
    { workflowBundle },
    begun.map(({ id, history }) => ({ workflowId: id, history })),
  )
  const lines: string[] = []
  for await (const { workflowId, error } of replays) {
    if (error !== undefined) lines.push(`${workflowId}: ${error.message}`)
  }
  return lines
}

const isTaskDone = ({ eventType }: proto.temporal.api.history.v1.IHistoryEvent) =>
  eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
