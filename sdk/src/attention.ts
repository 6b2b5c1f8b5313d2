import type { PagePromise } from './page.ts'
import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { AttentionItem, BodyOf, QueryOf } from './types.ts'

const path = (id: string, verb = '') => `/v1/attention/${segment(id)}${verb}`

/** What needs a person. */
export class Attention extends Resource {
  retrieve(id: string, options?: CallOptions): Promise<AttentionItem> {
    return this.get(path(id), undefined, options)
  }
  /** Out of sight until then. */
  snooze(
    id: string,
    body: BodyOf<'/v1/attention/{id}/snooze', 'post'>,
    options?: CallOptions,
  ): Promise<AttentionItem> {
    return this.call('POST', path(id, '/snooze'), body, options)
  }
  /** Settled by a person's word. */
  resolve(
    id: string,
    body: BodyOf<'/v1/attention/{id}/resolve', 'post'>,
    options?: CallOptions,
  ): Promise<AttentionItem> {
    return this.call('POST', path(id, '/resolve'), body, options)
  }
  /** The last to come first; what is snoozed or settled by its `status`. */
  list(query?: QueryOf<'/v1/attention'>, options?: CallOptions): PagePromise<AttentionItem> {
    return this.pagesOf('/v1/attention', query, options)
  }
}
