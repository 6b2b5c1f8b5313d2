import { onCommit } from '../db/outbox.ts'
import { reportingBreaker } from './breaker.ts'
import { EndpointSignals } from './endpoint-signals.ts'
import { OutboxSender, type SenderOptions } from './outbox-sender.ts'

export type AfterCommit = {
  readonly sender: OutboxSender
  /** As a commit with deliveries says it. */
  deliveriesWritten(workspace: string): void
  /** Takes no more; sends for up to 3 s what it has. */
  close(): Promise<void>
}

/**
 * From now on what is committed on this pool is sent to Temporal in the background: the outbox's rows, and a
 * signal to webhook endpoints. Nothing of it is waited for by who committed, and nothing throws.
 */
export function sendAfterCommits(options: SenderOptions): AfterCommit {
  const breaker = options.breaker ?? reportingBreaker(options.onFailure)
  const sender = new OutboxSender({ ...options, breaker })
  const endpoints = new EndpointSignals({ ...options, breaker })
  onCommit(options.pool, (workspace, { rows = [], deliveries }) => {
    sender.take(rows)
    if (deliveries) endpoints.deliveriesWritten(workspace)
  })
  return {
    sender,
    deliveriesWritten: (workspace) => endpoints.deliveriesWritten(workspace),
    close: async () => {
      endpoints.close()
      await sender.close()
    },
  }
}
