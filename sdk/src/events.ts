import type { PagePromise } from './page.ts'
import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type {
  BodyOf,
  QueryOf,
  ReplyOf,
  VinrEvent,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
} from './types.ts'

export class Events extends Resource {
  retrieve(id: string, options?: CallOptions): Promise<VinrEvent> {
    return this.get(`/v1/events/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/events'>, options?: CallOptions): PagePromise<VinrEvent> {
    return this.pagesOf('/v1/events', query, options)
  }
  /**
   * Reports what happened at a till, and learns what each reactor made of it. `strict` refuses, whole, what
   * would take the balance below zero; `dryRun` writes nothing.
   */
  report(
    body: BodyOf<'/v1/events', 'post'>,
    { strict = false, dryRun = false, ...options }: ReportOptions = {},
  ): Promise<ReplyOf<'/v1/events', 'post'>> {
    const asked = [...(strict ? ['strict=true'] : []), ...(dryRun ? ['dry_run=true'] : [])]
    const query = asked.length === 0 ? '' : `?${asked.join('&')}`
    return this.call('POST', `/v1/events${query}`, body, options)
  }
}

type ReportOptions = CallOptions & { strict?: boolean; dryRun?: boolean }

const PATH = '/v1/webhook_endpoints'
const at = (id: string, verb = '') => `${PATH}/${segment(id)}${verb}`

export class WebhookEndpoints extends Resource {
  /** With its secret, which is shown here and after a roll alone. */
  create(
    body: BodyOf<'/v1/webhook_endpoints', 'post'>,
    options?: CallOptions,
  ): Promise<WebhookEndpointWithSecret> {
    return this.call('POST', PATH, body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<WebhookEndpoint> {
    return this.get(at(id), undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/webhook_endpoints/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<WebhookEndpoint> {
    return this.call('PATCH', at(id), body, options)
  }
  list(query?: QueryOf<'/v1/webhook_endpoints'>, options?: CallOptions) {
    return this.listOf('/v1/webhook_endpoints', query, options)
  }
  delete(
    id: string,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/webhook_endpoints/{id}', 'delete'>> {
    return this.call('DELETE', at(id), undefined, options)
  }
  rollSecret(
    id: string,
    body: BodyOf<'/v1/webhook_endpoints/{id}/roll_secret', 'post'> = {},
    options?: CallOptions,
  ): Promise<WebhookEndpointWithSecret> {
    return this.call('POST', at(id, '/roll_secret'), body, options)
  }
  /** Sends a `webhook_endpoint.test` event to it. */
  test(id: string, options?: CallOptions): Promise<VinrEvent> {
    return this.call('POST', at(id, '/test'), {}, options)
  }
  replay(
    id: string,
    body: BodyOf<'/v1/webhook_endpoints/{id}/replay', 'post'>,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/webhook_endpoints/{id}/replay', 'post'>> {
    return this.call('POST', at(id, '/replay'), body, options)
  }
  deliveries(
    id: string,
    query?: QueryOf<'/v1/webhook_endpoints/{id}/deliveries'>,
    options?: CallOptions,
  ): PagePromise<WebhookDelivery> {
    return this.pagesOf(at(id, '/deliveries'), query, options)
  }
}
