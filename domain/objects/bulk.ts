export const BULK_STATUSES = ['running', 'paused', 'completed', 'canceled'] as const
type BulkStatus = (typeof BULK_STATUSES)[number]

export type BulkFacts = {
  readonly id: string
  readonly batch: string
  readonly status: BulkStatus
  readonly total: number
  readonly posted: number
  readonly refused: number
  readonly refusals: readonly { line?: number; transaction?: string; code: string }[]
  readonly createdAt: Date
  readonly completedAt: Date | null
}

/** An import as the API shows it. */
export function importObject(row: BulkFacts, livemode: boolean) {
  const refusals = row.refusals.map(({ line = 0, code }) => ({ line, code }))
  return { ...common(row), object: 'import' as const, refusals, livemode }
}

/** The reversal of a batch as the API shows it. */
export function batchReversalObject(row: BulkFacts, livemode: boolean) {
  const refusals = row.refusals.map(({ transaction = '', code }) => ({ transaction, code }))
  return { ...common(row), object: 'batch_reversal' as const, refusals, livemode }
}

function common({ id, batch, status, total, posted, refused, createdAt, completedAt }: BulkFacts) {
  return {
    id,
    batch,
    status,
    total,
    posted,
    refused,
    created_at: createdAt.toISOString(),
    completed_at: completedAt?.toISOString() ?? null,
  }
}
