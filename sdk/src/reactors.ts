import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { BodyOf, QueryOf, ReplyOf } from './types.ts'

type TypeOf<M extends 'get' | 'patch'> = ReplyOf<'/v1/event_types/{id}', M>

/** Kinds of events that tills report. An id is also the type's name. */
export class EventTypes extends Resource {
  create(body: BodyOf<'/v1/event_types', 'post'>, options?: CallOptions) {
    return this.post('/v1/event_types', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<TypeOf<'get'>> {
    return this.get(`/v1/event_types/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/event_types/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<TypeOf<'patch'>> {
    return this.call('PATCH', `/v1/event_types/${segment(id)}`, body, options)
  }
  list(query?: QueryOf<'/v1/event_types'>, options?: CallOptions) {
    return this.listOf('/v1/event_types', query, options)
  }
}

type ReactorOf<M extends 'get' | 'patch' | 'delete'> = ReplyOf<'/v1/reactors/{id}', M>

/** What follows when an event is reported. */
export class Reactors extends Resource {
  create(body: BodyOf<'/v1/reactors', 'post'>, options?: CallOptions) {
    return this.post('/v1/reactors', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<ReactorOf<'get'>> {
    return this.get(`/v1/reactors/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/reactors/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<ReactorOf<'patch'>> {
    return this.call('PATCH', `/v1/reactors/${segment(id)}`, body, options)
  }
  delete(id: string, options?: CallOptions): Promise<ReactorOf<'delete'>> {
    return this.call('DELETE', `/v1/reactors/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/reactors'>, options?: CallOptions) {
    return this.listOf('/v1/reactors', query, options)
  }
  /** What it would make of an event; nothing is written. */
  dryRun(
    id: string,
    body: BodyOf<'/v1/reactors/{id}/dry_run', 'post'>,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/reactors/{id}/dry_run', 'post'>> {
    return this.call('POST', `/v1/reactors/${segment(id)}/dry_run`, body, options)
  }
}
