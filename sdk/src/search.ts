import type { CallOptions } from './request.ts'
import { Resource } from './resource.ts'
import type { SearchHit } from './types.ts'

export class Search extends Resource {
  /** What the text names, of any kind that the caller may read: an id, customer, order number, code and so on. */
  find(q: string, options?: CallOptions): Promise<{ object: 'search_result'; data: SearchHit[] }> {
    return this.get('/v1/search', { q }, options)
  }
}
