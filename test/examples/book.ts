import request from 'supertest'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import type { Example } from '../../api/server/examples.ts'
import type { Shop } from '../api/shop.ts'

type Values = Readonly<Record<string, string | number | boolean>>

type BookRequest = {
  /** The path's parameters. */
  path?: Values
  query?: Values
  body?: object | string
  /** Of a body that is a text. */
  type?: string
  idempotencyKey?: string
  headers?: Record<string, string>
  /** The status of the "no" that this is an example of. */
  refused?: number
}

export type Book = {
  readonly shop: Shop
  readonly examples: Example[]
  /**
   * Sends a request, as a caller would, keeps it with its answer, and returns the answer's body.
   * Throws where the answer is another than the example is about.
   */
  ask(operation: string, name: string, asked?: BookRequest): Promise<Answer>
}

// biome-ignore lint/suspicious/noExplicitAny: an answer's body, of whatever route
export type Answer = any // oxlint-disable-line typescript/no-explicit-any

export function openBook(shop: Shop): Book {
  const examples: Example[] = []
  const known = new Set(ENDPOINTS.map(({ method, path }) => `${method} ${path}`))
  return {
    shop,
    examples,
    ask: async (operation, name, asked = {}) => {
      if (!known.has(operation)) throw new Error(`There is no ${operation}.`)
      const { status, body, text, type: media } = await send(shop, operation, asked)
      const about = asked.refused ?? 'a success'
      if (asked.refused === undefined ? status >= 300 : status !== asked.refused) {
        throw new Error(`${operation}, ${name}: ${status} instead of ${about}: ${text}`)
      }
      const written = media === 'application/zip' ? 'The bytes of a ZIP.' : text
      const answer: unknown = Object.keys(body).length === 0 ? written : body
      const { path, query, body: sent, type, idempotencyKey, headers } = asked
      const given = { path, query, body: sent, type, idempotencyKey, headers }
      examples.push({ operation, name, request: given, response: { status, body: answer } })
      return body
    },
  }
}

function send(shop: Shop, operation: string, asked: BookRequest): request.Test {
  const [method = '', template = ''] = operation.split(' ')
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = asked.path?.[name]
    if (value === undefined) throw new Error(`${operation} needs ${name}`)
    return encodeURIComponent(value)
  })
  const agent = request(shop.app)
  const starts = {
    GET: agent.get,
    POST: agent.post,
    PATCH: agent.patch,
    PUT: agent.put,
    DELETE: agent.delete,
  }
  const start = Object.entries(starts).find(([name]) => name === method)?.[1]
  if (start === undefined) throw new Error(`no method ${method}`)
  const sent = start.call(agent, path).query(asked.query ?? {})
  if (asked.headers === undefined) sent.set('X-Api-Key', shop.keys.secretKey)
  if (asked.idempotencyKey !== undefined) sent.set('Idempotency-Key', asked.idempotencyKey)
  if (asked.type !== undefined) sent.set('Content-Type', asked.type)
  for (const [name, value] of Object.entries(asked.headers ?? {})) sent.set(name, value)
  return asked.body === undefined ? sent : sent.send(asked.body)
}
