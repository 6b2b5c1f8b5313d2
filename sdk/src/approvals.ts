import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { Approval, BodyOf, QueryOf } from './types.ts'

const path = (id: string, verb = '') => `/v1/approvals/${segment(id)}${verb}`

/** Commands above their asker's limit, which wait for another person. */
export class Approvals extends Resource {
  retrieve(id: string, options?: CallOptions): Promise<Approval> {
    return this.get(path(id), undefined, options)
  }
  list(query?: QueryOf<'/v1/approvals'>, options?: CallOptions) {
    return this.listOf('/v1/approvals', query, options)
  }
  /** What it shows is done at once; by another person than the asker. */
  approve(
    id: string,
    body: BodyOf<'/v1/approvals/{id}/approve', 'post'> = {},
    options?: CallOptions,
  ): Promise<Approval> {
    return this.call('POST', path(id, '/approve'), body, options)
  }
  decline(id: string, body: { note?: string } = {}, options?: CallOptions): Promise<Approval> {
    return this.call('POST', path(id, '/decline'), body, options)
  }
  /** What one asked for oneself. */
  withdraw(id: string, body: { note?: string } = {}, options?: CallOptions): Promise<Approval> {
    return this.call('POST', path(id, '/withdraw'), body, options)
  }
}
