import type { PagePromise } from './page.ts'
import type { CallOptions } from './request.ts'
import { Resource } from './resource.ts'
import type { Upcoming as Act } from './types.ts'

export class Upcoming extends Resource {
  /** What will happen in the workspace by itself, soonest first, and by which run. */
  list(query?: { limit?: number; type?: Act['type'] }, options?: CallOptions): PagePromise<Act> {
    return this.pagesOf('/v1/upcoming', query, options)
  }
}
