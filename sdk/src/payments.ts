import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { BodyOf, Payment, QueryOf, ReplyOf } from './types.ts'

export class Payments extends Resource {
  create(body: BodyOf<'/v1/payments', 'post'>, options?: CallOptions) {
    return this.post('/v1/payments', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<Payment> {
    return this.get(`/v1/payments/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/payments'>, options?: CallOptions) {
    return this.listOf('/v1/payments', query, options)
  }
  confirm(
    id: string,
    body: BodyOf<'/v1/payments/{id}/confirm', 'post'>,
    options?: CallOptions,
  ): Promise<Payment> {
    return this.call('POST', `/v1/payments/${segment(id)}/confirm`, body, options)
  }
  cancel(id: string, options?: CallOptions): Promise<Payment> {
    return this.call('POST', `/v1/payments/${segment(id)}/cancel`, {}, options)
  }
  /** Awards its points again, for a member added afterwards; what was earned stays earned once. */
  replayAward(
    id: string,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/payments/{id}/replay_award', 'post'>> {
    return this.call('POST', `/v1/payments/${segment(id)}/replay_award`, {}, options)
  }
  /** What it earned rule by rule, and why not more. */
  earnings(
    id: string,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/payments/{id}/earnings', 'get'>> {
    return this.get(`/v1/payments/${segment(id)}/earnings`, undefined, options)
  }
}

export class Refunds extends Resource {
  create(body: BodyOf<'/v1/refunds', 'post'>, options?: CallOptions) {
    return this.post('/v1/refunds', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<ReplyOf<'/v1/refunds/{id}', 'get'>> {
    return this.get(`/v1/refunds/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/refunds'>, options?: CallOptions) {
    return this.listOf('/v1/refunds', query, options)
  }
}
