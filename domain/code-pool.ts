/** Where a code is: in its pool, with a member, or of no use any more. */
export const CODE_STATUSES = ['available', 'given', 'void'] as const

type CodePoolFacts = {
  readonly id: string
  readonly name: string
  readonly lowAt: number
  readonly lowSince: Date | null
  readonly metadata: Record<string, string>
  readonly createdAt: Date
}

/** How many codes are where. */
type CodeCounts = {
  readonly available: number
  readonly given: number
  readonly void: number
}

const NONE: CodeCounts = { available: 0, given: 0, void: 0 }

/** A pool of codes as the API shows it: how many, never which. */
export function codePoolObject(row: CodePoolFacts, livemode: boolean, counts: CodeCounts = NONE) {
  return {
    id: row.id,
    object: 'code_pool' as const,
    name: row.name,
    available: counts.available,
    given: counts.given,
    void: counts.void,
    low_at: row.lowAt,
    low_since: row.lowSince?.toISOString() ?? null,
    metadata: row.metadata,
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}

type CodeBatchFacts = {
  readonly id: string
  readonly pool: string
  readonly added: number
  readonly duplicates: readonly { readonly line: number }[]
  readonly createdAt: Date
}

/** One upload of codes as the API shows it. */
export function codeBatchObject(row: CodeBatchFacts, livemode: boolean) {
  return {
    id: row.id,
    object: 'code_batch' as const,
    pool: row.pool,
    added: row.added,
    duplicates: row.duplicates.map(({ line }) => ({ line })),
    created_at: row.createdAt.toISOString(),
    livemode,
  }
}
