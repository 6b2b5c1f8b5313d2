import { readFile } from 'node:fs/promises'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { Worker } from '@temporalio/worker'
import { inject } from 'vitest'
import type { OutboxRow } from '../../db/outbox.ts'
import type { RedemptionFacts } from '../../domain/redemption-summary.ts'
import { connectEngine } from '../../temporal/connect.ts'
import type { Engine } from '../../temporal/engine.ts'
import { quietEngine } from '../support/runtime.ts'

type Activities = Record<string, (input: never) => Promise<unknown>>

quietEngine()

let opened = 0

/** The product's workflows on a task queue of their own, with activities that the test brings. */
export async function openWorkflows(
  activities: Activities,
): Promise<{ engine: Engine; close(): Promise<void> }> {
  const [temporalAddress, bundlePath] = [inject('temporalAddress'), inject('bundlePath')]
  const taskQueue = `workflows-${process.pid}-${Date.now().toString(36)}-${++opened}`
  const engine = await connectEngine({
    address: temporalAddress,
    namespace: 'default',
    taskQueue,
  })
  const worker = await Worker.create({
    connection: engine.connection,
    taskQueue,
    workflowBundle: { code: await readFile(bundlePath, 'utf8') },
    activities,
  })
  const running = worker.run()
  return {
    engine,
    close: async () => {
      worker.shutdown()
      await running
      await engine.close()
    },
  }
}

/** A redemption that waits, as its row says it. */
export const waiting = (more: Partial<RedemptionFacts> = {}): RedemptionFacts => ({
  status: 'pending',
  payment: null,
  paymentStatus: null,
  reason: null,
  expiresAt: inMs(1_800_000),
  late: null,
  ...more,
})

export const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

/** What a run did: its history's events, without those of its tasks' schedule. */
export async function eventsOf({ client }: Engine, id: string): Promise<string[]> {
  const history = await client.workflow.getHandle(id).fetchHistory()
  const { events }: { events: { eventType: string }[] } = JSON.parse(historyToJSON(history))
  return events
    .map(({ eventType }) => eventType.replace('EVENT_TYPE_', ''))
    .filter((type) => !['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED'].includes(type))
}

/** A row of the outbox, as the sender has it. */
export const outboxRow = (
  row: Pick<OutboxRow, 'workflow_id' | 'workflow_type' | 'input' | 'facts' | 'revision'> &
    Partial<OutboxRow>,
): OutboxRow => ({
  workspace: 'ws_1',
  change: 'changed',
  attempts: 0,
  lease: 0,
  start_in_ms: 0,
  ...row,
})
