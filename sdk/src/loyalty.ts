import { Accounts, Transactions } from './accounts.ts'
import { CodePools, StoreCreditTransactions } from './credit.ts'
import { BatchReversals, Imports } from './imports.ts'
import type { CallOptions, Settings } from './request.ts'
import { Resource, segment } from './resource.ts'
import { Rewards } from './rewards.ts'
import type { BodyOf, ListQuery, QueryOf, Quote, Redemption, ReplyOf } from './types.ts'

const V1 = '/v1/loyalty'

export class Redemptions extends Resource {
  create(body: BodyOf<'/v1/loyalty/redemptions', 'post'>, options?: CallOptions) {
    return this.post('/v1/loyalty/redemptions', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<Redemption> {
    return this.get(`${V1}/redemptions/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/loyalty/redemptions'>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/redemptions', query, options)
  }
  cancel(id: string, options?: CallOptions): Promise<Redemption> {
    return this.call('POST', `${V1}/redemptions/${segment(id)}/cancel`, {}, options)
  }
  extend(id: string, body: { minutes: number }, options?: CallOptions): Promise<Redemption> {
    return this.call('POST', `${V1}/redemptions/${segment(id)}/extend`, body, options)
  }
  reverse(
    id: string,
    body: BodyOf<'/v1/loyalty/redemptions/{id}/reverse', 'post'>,
    options?: CallOptions,
  ): Promise<Redemption> {
    return this.call('POST', `${V1}/redemptions/${segment(id)}/reverse`, body, options)
  }
  /** All items that are left, or `quantity` of them, were shipped. */
  fulfill(
    id: string,
    body: BodyOf<'/v1/loyalty/redemptions/{id}/fulfill', 'post'> = {},
    options?: CallOptions,
  ): Promise<Redemption> {
    return this.call('POST', `${V1}/redemptions/${segment(id)}/fulfill`, body, options)
  }
}

export class Quotes extends Resource {
  /** What would happen; nothing is written. */
  create(body: BodyOf<'/v1/loyalty/quotes', 'post'>, options?: CallOptions): Promise<Quote> {
    return this.call('POST', '/v1/loyalty/quotes', body, options)
  }
}

export class Programs extends Resource {
  create(body: BodyOf<'/v1/loyalty/programs', 'post'>, options?: CallOptions) {
    return this.post('/v1/loyalty/programs', body, options)
  }
  retrieve(
    id: string,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/loyalty/programs/{id}', 'get'>> {
    return this.get(`${V1}/programs/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/loyalty/programs/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/loyalty/programs/{id}', 'patch'>> {
    return this.call('PATCH', `${V1}/programs/${segment(id)}`, body, options)
  }
  list(query?: QueryOf<'/v1/loyalty/programs'>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/programs', query, options)
  }
  /** What is owed in store credit, by currency: now, or at a moment. */
  storeCreditLiability(
    id: string,
    query?: { at?: string | number | Date },
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/loyalty/programs/{id}/store_credit_liability', 'get'>> {
    return this.get(`${V1}/programs/${segment(id)}/store_credit_liability`, query, options)
  }
  /** What is owed: now, or at a moment. */
  liability(
    id: string,
    query?: { at?: string | number | Date },
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/loyalty/programs/{id}/liability', 'get'>> {
    return this.get(`${V1}/programs/${segment(id)}/liability`, query, options)
  }
  /** Movements by UTC month or day as CSV, from `from` to before `to` (dates such as 2026-01-01). */
  liabilityExport(
    id: string,
    query: { from: string; to: string; period?: 'month' | 'day' },
    options?: CallOptions,
  ): Promise<string> {
    const path = `${V1}/programs/${segment(id)}/liability/export`
    return this.send({ method: 'GET', path, query, as: 'text' }, options)
  }
  /** A window's points beside the payments behind them, and what does not match. */
  reconciliation(
    id: string,
    query?: Pick<ListQuery, 'created'>,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/loyalty/programs/{id}/reconciliation', 'get'>> {
    return this.get(`${V1}/programs/${segment(id)}/reconciliation`, query, options)
  }
}

type RulePath = '/v1/loyalty/earning_rules'
type RuleOf<M extends 'get' | 'patch'> = ReplyOf<`${RulePath}/{id}`, M>

export class EarningRules extends Resource {
  create(body: BodyOf<RulePath, 'post'>, options?: CallOptions) {
    return this.post('/v1/loyalty/earning_rules', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<RuleOf<'get'>> {
    return this.get(`${V1}/earning_rules/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<`${RulePath}/{id}`, 'patch'>,
    options?: CallOptions,
  ): Promise<RuleOf<'patch'>> {
    return this.call('PATCH', `${V1}/earning_rules/${segment(id)}`, body, options)
  }
  list(query?: QueryOf<RulePath>, options?: CallOptions) {
    return this.listOf('/v1/loyalty/earning_rules', query, options)
  }
}

type PreviewPath = '/v1/loyalty/earning_previews'

export class EarningPreviews extends Resource {
  /** What a payment would earn; nothing is written. */
  create(
    body: BodyOf<PreviewPath, 'post'>,
    options?: CallOptions,
  ): Promise<ReplyOf<PreviewPath, 'post'>> {
    return this.call('POST', '/v1/loyalty/earning_previews', body, options)
  }
}

/** Everything under `vinr.loyalty`. */
export class Loyalty {
  readonly accounts: Accounts
  readonly transactions: Transactions
  readonly rewards: Rewards
  readonly redemptions: Redemptions
  readonly quotes: Quotes
  readonly programs: Programs
  readonly earningRules: EarningRules
  readonly earningPreviews: EarningPreviews
  readonly imports: Imports
  readonly batchReversals: BatchReversals
  readonly codePools: CodePools
  readonly storeCreditTransactions: StoreCreditTransactions

  constructor(settings: Settings) {
    this.accounts = new Accounts(settings)
    this.transactions = new Transactions(settings)
    this.rewards = new Rewards(settings)
    this.redemptions = new Redemptions(settings)
    this.quotes = new Quotes(settings)
    this.programs = new Programs(settings)
    this.earningRules = new EarningRules(settings)
    this.earningPreviews = new EarningPreviews(settings)
    this.imports = new Imports(settings)
    this.batchReversals = new BatchReversals(settings)
    this.codePools = new CodePools(settings)
    this.storeCreditTransactions = new StoreCreditTransactions(settings)
  }
}
