import type { PagePromise } from './page.ts'
import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { LoggedRequest, QueryOf } from './types.ts'

/** What was asked of the API, as long as the server keeps it. */
export class Requests extends Resource {
  /** By an answer's `requestId`, within seconds of it. */
  retrieve(id: string, options?: CallOptions): Promise<LoggedRequest> {
    return this.get(`/v1/requests/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/requests'>, options?: CallOptions): PagePromise<LoggedRequest> {
    return this.pagesOf('/v1/requests', query, options)
  }
}
