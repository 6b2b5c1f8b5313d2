/** `waiting`: for what is under way; `erasing`: store by store; `completed`: a second search found nothing. */
export const ERASURE_STATUSES = ['waiting', 'erasing', 'completed'] as const
type ErasureStatus = (typeof ERASURE_STATUSES)[number]

/** Something that must end before its member can be erased. */
export type ErasureWait = {
  readonly object: string
  readonly status: 'pending' | 'fulfillment_pending' | 'disputed' | 'importing'
}

/** What a member's erasure goes through, in this order: of `accounts` the customer is needed to the end. */
export const ERASED_STORES = [
  'identities',
  'transactions',
  'redemptions',
  'payments',
  'refunds',
  'tier_changes',
  'reported_events',
  'events',
  'deliveries',
  'inbox',
  'attention',
  'approvals',
  'accounts',
] as const
/** Of a run from before there were approvals. */
export const ERASED_STORES_BEFORE = ERASED_STORES.filter((store) => store !== 'approvals')

export type ErasedStore = (typeof ERASED_STORES)[number]

export type ErasureFacts = {
  readonly account: string
  readonly status: ErasureStatus
  readonly waitsFor: readonly ErasureWait[]
  readonly stores: Readonly<Record<string, number>>
  readonly found: Readonly<Record<string, number>> | null
  readonly shared: readonly string[]
  readonly requestedAt: Date
  readonly searchedAt: Date | null
  readonly completedAt: Date | null
}

/** An erasure as the API shows it: while it goes on, where it is; at its end, the certificate. */
export function erasureObject(row: ErasureFacts, livemode: boolean) {
  return {
    object: 'erasure' as const,
    account: row.account,
    status: row.status,
    waits_for: row.status === 'waiting' ? [...row.waitsFor] : [],
    stores: ERASED_STORES.map((store) => ({ store, rows: row.stores[store] ?? 0 })),
    search:
      row.searchedAt === null
        ? null
        : { at: row.searchedAt.toISOString(), found: totalOf(row.found ?? {}) },
    shared_payments: [...row.shared],
    requested_at: row.requestedAt.toISOString(),
    completed_at: row.completedAt?.toISOString() ?? null,
    livemode,
  }
}

const totalOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)
