import { type PagePromise, pages, type ReadPage } from './page.ts'
import { type CallOptions, type Sent, type Settings, send } from './request.ts'
import type { BodyOf, ListQuery, QueryOf, ReplyOf } from './types.ts'

type Item<P extends string> = ReplyOf<P, 'get'> extends { data: (infer One)[] } ? One : never

/** What the nouns share: how each verb is a request. Ids go into paths escaped. */
export class Resource {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Sent with each write from now on, where the client has a session. */
  protected useCsrfToken(token: string): void {
    const { session } = this.#settings
    if (session !== undefined) session.csrfToken = token
  }

  protected send<T>(sent: Sent, options: CallOptions | undefined): Promise<T> {
    return send<T>(this.#settings, sent, options)
  }

  protected call<T>(
    method: Sent['method'],
    path: string,
    body: unknown,
    options: CallOptions | undefined,
  ): Promise<T> {
    return send<T>(this.#settings, { method, path, body }, options)
  }

  protected post<P extends string>(
    path: P,
    body: BodyOf<P, 'post'>,
    options: CallOptions | undefined,
  ): Promise<ReplyOf<P, 'post'>> {
    return this.call('POST', path, body, options)
  }

  protected listOf<P extends string>(
    path: P,
    query: QueryOf<P> | undefined,
    options: CallOptions | undefined,
  ): PagePromise<Item<P> & { id: string }> {
    return this.pagesOf(path, query, options)
  }

  protected pagesOf<T extends { id: string }>(
    path: string,
    query: ListQuery | undefined,
    options: CallOptions | undefined,
  ): PagePromise<T> {
    const read: ReadPage<T> = (startingAfter) => {
      const asked =
        startingAfter === undefined ? query : { ...query, starting_after: startingAfter }
      return send(this.#settings, { method: 'GET', path, query: asked }, options)
    }
    return pages(read)
  }

  protected get<T>(
    path: string,
    query: object | undefined,
    options: CallOptions | undefined,
  ): Promise<T> {
    return send<T>(this.#settings, { method: 'GET', path, query }, options)
  }
}

/** An id as a path segment. */
export const segment = (id: string): string => encodeURIComponent(id)
