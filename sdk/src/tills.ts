import type { PagePromise } from './page.ts'
import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { BodyOf, ListQuery, ReplyOf } from './types.ts'

export type Wallet = ReplyOf<'/v1/users/{id}/wallet', 'get'>
export type Conversion = ReplyOf<'/v1/users/{id}/conversion', 'get'>
export type Member = ReplyOf<'/v1/members/lookup', 'post'>
export type Identity = ReplyOf<'/v1/loyalty/identities/{id}', 'get'>
export type ReportedEvent = ReplyOf<'/v1/events', 'post'>
export type TillSettings = ReplyOf<'/v1/settings', 'get'>

const user = (id: string, part: string) => `/v1/users/${segment(id)}/${part}`

export class Wallets extends Resource {
  /** By a `loy_` id or a registered external id. */
  retrieve(id: string, options?: CallOptions): Promise<Wallet> {
    return this.get(user(id, 'wallet'), undefined, options)
  }
  /** What points are worth (rounded down), or how many points pay for minor units (rounded up). */
  convert(
    id: string,
    asked: { points: number } | { amount: number },
    options?: CallOptions,
  ): Promise<Conversion> {
    return this.get(user(id, 'conversion'), asked, options)
  }
}

export class SettingsOfTills extends Resource {
  retrieve(options?: CallOptions): Promise<TillSettings> {
    return this.get('/v1/settings', undefined, options)
  }
  /** Keys not named stay; null removes one. */
  merge(change: BodyOf<'/v1/settings', 'put'>, options?: CallOptions): Promise<TillSettings> {
    return this.call('PUT', '/v1/settings', change, options)
  }
}

export class Members extends Resource {
  /** Who stands at the till, with the wallet. Nobody, for whatever cause: VinrNotFoundError. */
  lookUp(body: BodyOf<'/v1/members/lookup', 'post'>, options?: CallOptions): Promise<Member> {
    return this.call('POST', '/v1/members/lookup', body, options)
  }
  /** A card's token or a device's secret is in this answer alone. */
  identify(
    account: string,
    body: BodyOf<'/v1/loyalty/accounts/{id}/identities', 'post'>,
    options?: CallOptions,
  ): Promise<Identity> {
    return this.call('POST', `/v1/loyalty/accounts/${segment(account)}/identities`, body, options)
  }
  identities(account: string, query?: ListQuery, options?: CallOptions): PagePromise<Identity> {
    return this.pagesOf(`/v1/loyalty/accounts/${segment(account)}/identities`, query, options)
  }
  identity(id: string, options?: CallOptions): Promise<Identity> {
    return this.get(`/v1/loyalty/identities/${segment(id)}`, undefined, options)
  }
  revoke(identity: string, options?: CallOptions): Promise<Identity> {
    return this.call('DELETE', `/v1/loyalty/identities/${segment(identity)}`, undefined, options)
  }
}

export class TillEvents extends Resource {
  /**
   * Reports an event; the answer says what each reactor did. Give your own `eventId`, so that a
   * restart of the till reports it once. `strict`: refuse what would take the balance below zero.
   */
  report(
    body: BodyOf<'/v1/events', 'post'>,
    { strict = false, ...options }: CallOptions & { strict?: boolean } = {},
  ): Promise<ReportedEvent> {
    return this.call('POST', strict ? '/v1/events?strict=true' : '/v1/events', body, options)
  }
  /** Undoes what an earlier event moved, once: the points return to the very lots. */
  reverse(
    eventId: string,
    body: Omit<BodyOf<'/v1/events', 'post'>, 'reverses' | 'hold'>,
    options?: CallOptions,
  ): Promise<ReportedEvent> {
    return this.call('POST', '/v1/events', { ...body, reverses: eventId }, options)
  }
  /** The sale of a held event went through. */
  confirm(eventId: string, options?: CallOptions): Promise<ReportedEvent> {
    return this.call('POST', `/v1/events/${segment(eventId)}/confirm`, {}, options)
  }
  /** It failed: the points return at once. */
  cancel(eventId: string, options?: CallOptions): Promise<ReportedEvent> {
    return this.call('POST', `/v1/events/${segment(eventId)}/cancel`, {}, options)
  }
}
