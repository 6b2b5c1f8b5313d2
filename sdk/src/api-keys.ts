import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { BodyOf, QueryOf, ReplyOf } from './types.ts'

type KeyOf<M extends 'get' | 'patch'> = ReplyOf<'/v1/api_keys/{id}', M>
type Rolled = ReplyOf<'/v1/api_keys/{id}/roll', 'post'>
type Revoked = ReplyOf<'/v1/api_keys/{id}/revoke', 'post'>

/** Keys to the API. A secret is in the answer to `create` and `roll` alone. */
export class ApiKeys extends Resource {
  create(body: BodyOf<'/v1/api_keys', 'post'>, options?: CallOptions) {
    return this.post('/v1/api_keys', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<KeyOf<'get'>> {
    return this.get(`/v1/api_keys/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/api_keys/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<KeyOf<'patch'>> {
    return this.call('PATCH', `/v1/api_keys/${segment(id)}`, body, options)
  }
  /** A new secret; the old one is taken for `overlap_hours` more. */
  roll(
    id: string,
    body?: BodyOf<'/v1/api_keys/{id}/roll', 'post'>,
    options?: CallOptions,
  ): Promise<Rolled> {
    return this.call('POST', `/v1/api_keys/${segment(id)}/roll`, body, options)
  }
  /** For good. */
  revoke(id: string, options?: CallOptions): Promise<Revoked> {
    return this.call('POST', `/v1/api_keys/${segment(id)}/revoke`, {}, options)
  }
  list(query?: QueryOf<'/v1/api_keys'>, options?: CallOptions) {
    return this.listOf('/v1/api_keys', query, options)
  }
}
