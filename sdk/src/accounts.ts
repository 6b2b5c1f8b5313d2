import type { PagePromise } from './page.ts'
import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type {
  Account,
  Allocation,
  BodyOf,
  ListQuery,
  Lot,
  QueryOf,
  ReplyOf,
  StoreCredit,
  TierChange,
  TimelineEntry,
  Transaction,
  Upcoming,
} from './types.ts'

const V1 = '/v1/loyalty'
const EXPORT_MS = 900_000 // a till's busiest card, on a slow line

type ErasurePath = '/v1/loyalty/accounts/{id}/erasure'

export class Accounts extends Resource {
  create(body: BodyOf<'/v1/loyalty/accounts', 'post'>, options?: CallOptions) {
    return this.post('/v1/loyalty/accounts', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<Account> {
    return this.get(`${V1}/accounts/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/loyalty/accounts/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<Account> {
    return this.call('PATCH', `${V1}/accounts/${segment(id)}`, body, options)
  }
  list(query?: QueryOf<'/v1/loyalty/accounts'>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/accounts', query, options)
  }
  close(id: string, options?: CallOptions): Promise<Account> {
    return this.call('POST', `${V1}/accounts/${segment(id)}/close`, {}, options)
  }
  reopen(id: string, options?: CallOptions): Promise<Account> {
    return this.call('POST', `${V1}/accounts/${segment(id)}/reopen`, {}, options)
  }
  /** The survivor: `target`, with what `source` had. */
  merge(body: { source: string; target: string }, options?: CallOptions): Promise<Account> {
    return this.call('POST', `${V1}/accounts/merge`, body, options)
  }
  /** What the member has in store credit, by currency. */
  storeCredit(id: string, options?: CallOptions): Promise<StoreCredit> {
    return this.get(`${V1}/accounts/${segment(id)}/store_credit`, undefined, options)
  }
  /** The balance at a moment (ISO 8601, or unix seconds). */
  balanceAt(
    id: string,
    at: string | number | Date,
    options?: CallOptions,
  ): Promise<{ account: string; balance: number; at: string }> {
    return this.get(`${V1}/accounts/${segment(id)}/balance_at`, { at }, options)
  }
  /** By hand, in programs whose tiers are custom; null takes the tier away. */
  setTier(
    id: string,
    body: BodyOf<'/v1/loyalty/accounts/{id}/set_tier', 'post'>,
    options?: CallOptions,
  ): Promise<Account> {
    return this.call('POST', `${V1}/accounts/${segment(id)}/set_tier`, body, options)
  }
  tierChanges(id: string, query?: ListQuery, options?: CallOptions): PagePromise<TierChange> {
    return this.pagesOf(`${V1}/accounts/${segment(id)}/tier_changes`, query, options)
  }
  /** What happened to the member, newest first: movements, redemptions, tiers, identities, merges. */
  timeline(
    id: string,
    query?: { limit?: number; type?: TimelineEntry['type'] },
    options?: CallOptions,
  ): PagePromise<TimelineEntry> {
    return this.pagesOf(`${V1}/accounts/${segment(id)}/timeline`, query, options)
  }
  /** What will happen to the member by itself, soonest first. */
  upcoming(
    id: string,
    query?: { limit?: number; type?: Upcoming['type'] },
    options?: CallOptions,
  ): PagePromise<Upcoming> {
    return this.pagesOf(`${V1}/accounts/${segment(id)}/upcoming`, query, options)
  }
  /** All that is kept of the member: a ZIP with a README. */
  export(id: string, options?: CallOptions): Promise<Blob> {
    const path = `${V1}/accounts/${segment(id)}/export`
    return this.send({ method: 'POST', path, as: 'blob' }, { timeoutMs: EXPORT_MS, ...options })
  }
  /** Removes what says who the member is, for good; `erasure` says how far that is. */
  erase(id: string, options?: CallOptions): Promise<ReplyOf<ErasurePath, 'get'>> {
    return this.call('POST', `${V1}/accounts/${segment(id)}/erase`, {}, options)
  }
  /** How far the member's erasure is, and at its end the certificate. */
  erasure(id: string, options?: CallOptions): Promise<ReplyOf<ErasurePath, 'get'>> {
    return this.get(`${V1}/accounts/${segment(id)}/erasure`, undefined, options)
  }
  /** What each of the member's credits brought, what is left of it, and what spent the rest. */
  lots(
    id: string,
    query?: { limit?: number; open?: boolean },
    options?: CallOptions,
  ): PagePromise<Lot> {
    return this.pagesOf(`${V1}/accounts/${segment(id)}/lots`, query, options)
  }
}

export class Transactions extends Resource {
  create(body: BodyOf<'/v1/loyalty/transactions', 'post'>, options?: CallOptions) {
    return this.post('/v1/loyalty/transactions', body, options)
  }
  /** Up to 1,000 rows, all of them or none. */
  createBatch(body: BodyOf<'/v1/loyalty/transactions/batch', 'post'>, options?: CallOptions) {
    return this.post('/v1/loyalty/transactions/batch', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<Transaction> {
    return this.get(`${V1}/transactions/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/loyalty/transactions'>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/transactions', query, options)
  }
  /** Which points it spent, brought or gave back. */
  allocations(
    id: string,
    query?: { limit?: number },
    options?: CallOptions,
  ): PagePromise<Allocation> {
    return this.pagesOf(`${V1}/transactions/${segment(id)}/allocations`, query, options)
  }
  reverse(
    id: string,
    body: BodyOf<'/v1/loyalty/transactions/{id}/reverse', 'post'> = {},
    options?: CallOptions,
  ): Promise<Transaction> {
    return this.call('POST', `${V1}/transactions/${segment(id)}/reverse`, body, options)
  }
}
