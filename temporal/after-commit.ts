import { onCommit } from '../db/outbox.ts'
import { reportingBreaker } from './breaker.ts'
import { EndpointSignals } from './endpoint-signals.ts'
import { OutboxSender, type SenderOptions } from './outbox-sender.ts'
import { OutboxSweep } from './outbox-sweep.ts'

export type AfterCommit = {
  readonly sender: OutboxSender
  /** As a commit with deliveries says it. */
  deliveriesWritten(workspace: string): void
  /** Takes no more; sends for up to 3 s what it has, and leaves the rest to the sweep. */
  close(): Promise<void>
}

/**
 * From now on what is committed on this pool is sent to Temporal in the background: the outbox's rows, and a
 * signal to webhook endpoints. Nothing of it is waited for by who committed, and nothing throws.
 */
export function sendAfterCommits(
  options: SenderOptions & {
    /** Whether this process sweeps as well, where no other does. */
    sweeps?: boolean
  },
): AfterCommit {
  const breaker = options.breaker ?? reportingBreaker(options.onFailure)
  const sender = new OutboxSender({ ...options, breaker })
  const endpoints = new EndpointSignals({ ...options, breaker })
  onCommit(options.pool, (workspace, { rows = [], deliveries }) => {
    sender.take(rows)
    if (deliveries) endpoints.deliveriesWritten(workspace)
  })
  const sweep =
    options.sweeps === true ? new OutboxSweep({ ...options, sender, breaker }) : undefined
  sweep?.start()
  return {
    sender,
    deliveriesWritten: (workspace) => endpoints.deliveriesWritten(workspace),
    close: async () => {
      endpoints.close()
      await sweep?.close()
      await sender.close()
    },
  }
}
