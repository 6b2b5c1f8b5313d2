import type { OutboxRow } from './results/outbox.ts'

/** What a transaction wrote for others: rows of the outbox, and whether there are new webhook deliveries. */
export type CommitOutput = { rows?: OutboxRow[]; deliveries: boolean }

type CommitListener = (workspace: string, output: CommitOutput) => void

const listeners = new WeakMap<object, CommitListener>()

/** Tells `listener` after each commit on this pool that wrote something for others. It must neither throw nor wait. */
export function onCommit(pool: object, listener: CommitListener): void {
  listeners.set(pool, listener)
}

/** Said by whoever ran a transaction on `db`, once it is committed. */
export function afterCommit(db: object, workspace: unknown, output: CommitOutput | null): void {
  if (output === null || typeof workspace !== 'string') return
  listeners.get(db)?.(workspace, output)
}
