import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { BodyOf, QueryOf, Reward } from './types.ts'

const V1 = '/v1/loyalty'

/** The catalogue. */
export class Rewards extends Resource {
  create(body: BodyOf<'/v1/loyalty/rewards', 'post'>, options?: CallOptions) {
    return this.post('/v1/loyalty/rewards', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<Reward> {
    return this.get(`${V1}/rewards/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/loyalty/rewards/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<Reward> {
    return this.call('PATCH', `${V1}/rewards/${segment(id)}`, body, options)
  }
  list(query?: QueryOf<'/v1/loyalty/rewards'>, options?: CallOptions) {
    return this.pagesOf<Reward>('/v1/loyalty/rewards', query, options)
  }
  /** Takes it out of the catalogue; what was redeemed of it stays. */
  archive(id: string, options?: CallOptions): Promise<Reward> {
    return this.call('POST', `${V1}/rewards/${segment(id)}/archive`, {}, options)
  }
  unarchive(id: string, options?: CallOptions): Promise<Reward> {
    return this.call('POST', `${V1}/rewards/${segment(id)}/unarchive`, {}, options)
  }
}
