export const BULK_KINDS = ['import', 'reversal'] as const
export type BulkKind = (typeof BULK_KINDS)[number]

/** `waiting`: for its approval. */
export const BULK_STATUSES = ['waiting', 'running', 'paused', 'completed', 'canceled'] as const
type BulkStatus = (typeof BULK_STATUSES)[number]

type BulkFacts = {
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

/** Lanes that write an import side by side: two use two cores, more only wait for each other. */
export const IMPORT_LANES = 2

/**
 * The lane that writes an account's rows, 0 to IMPORT_LANES - 1, the same every time: one account's
 * rows are written in the order of their lines, so that a debit finds the credits above it.
 */
export function importLane(account: string): number {
  let hash = 2_166_136_261 // FNV-1a
  for (const sign of account) hash = Math.imul(hash ^ (sign.codePointAt(0) ?? 0), 16_777_619)
  return ((hash ^ (hash >>> 16)) >>> 0) % IMPORT_LANES
}

/** The number of a lane's chunk: a lane's chunks are written in the order of their numbers. */
export const chunkNumber = (lane: number, ofLane: number): number => ofLane * IMPORT_LANES + lane

export const laneOfChunk = (no: number): number => no % IMPORT_LANES
