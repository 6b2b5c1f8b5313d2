import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { CodeBatch, CodePool, QueryOf, StoreCreditTransaction } from './types.ts'

/** Gift card codes uploaded in advance. */
export class CodePools extends Resource {
  create(
    body: { name: string; low_at?: number; metadata?: Record<string, string> },
    options?: CallOptions,
  ) {
    return this.call<CodePool>('POST', '/v1/loyalty/code_pools', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<CodePool> {
    return this.get(`/v1/loyalty/code_pools/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/loyalty/code_pools'>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/code_pools', query, options)
  }
  /** Up to 1,000 at a time; those that were here already come back by their line. */
  upload(id: string, codes: readonly string[], options?: CallOptions): Promise<CodeBatch> {
    return this.call('POST', `/v1/loyalty/code_pools/${segment(id)}/codes`, { codes }, options)
  }
}

/** Movements of store credit: read only, for what moves it is a redemption, a payment or a refund. */
export class StoreCreditTransactions extends Resource {
  retrieve(id: string, options?: CallOptions): Promise<StoreCreditTransaction> {
    return this.get(`/v1/loyalty/store_credit_transactions/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/loyalty/store_credit_transactions'>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/store_credit_transactions', query, options)
  }
}
