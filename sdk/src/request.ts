import { errorOf, VinrApprovalNeeded, VinrConnectionError, type VinrError } from './errors.ts'
import { limited } from './limit.ts'
import { queryOf } from './query.ts'
import type { Approval } from './types.ts'
import { userAgent } from './user-agent.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A person's session, whose cookie the browser sends by itself. */
export type SessionSettings = { workspace: string | undefined; csrfToken: string | undefined }

export type Settings = {
  secretKey: string | undefined
  session: SessionSettings | undefined
  baseUrl: string
  timeoutMs: number
  maxRetries: number
  fetch: Fetch
}

/** What one call may ask for. */
export type CallOptions = {
  /** The same key gives the same object, however often it is sent. */
  idempotencyKey?: string
  /** A person of your own back office in whose name this is asked. It is recorded and gives no rights. */
  actor?: { id: string; name?: string }
  timeoutMs?: number
  maxRetries?: number
  signal?: AbortSignal
}

/** What `fetch` sends as it is. */
export type Body = NonNullable<RequestInit['body']>

/** `once`: it can be read a single time, so there is one try. */
export type RawBody = { type: string; body: Body; once: boolean }

export type Sent = {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  path: string
  body?: unknown
  query?: object | undefined
  /** A body that is no JSON, sent as it is. */
  raw?: RawBody
  /** The answer is text, or bytes. */
  as?: 'text' | 'blob'
}

/** What an answer says beside its object; on each object as `lastResponse`, which is not enumerated. */
export type LastResponse = { requestId: string | undefined; status: number; replayed: boolean }

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8_000
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504])
const USER_AGENT = userAgent()

/**
 * Sends a request and returns its object. Tried again where no answer came, on 429 and 5xx, and
 * while the first try with the same key still runs; every POST carries a key, so that a
 * repeat never does anything twice.
 */
export async function send<T>(
  settings: Settings,
  sent: Sent,
  options: CallOptions = {},
): Promise<T> {
  const maxRetries = sent.raw?.once ? 0 : (options.maxRetries ?? settings.maxRetries)
  const init = initOf(settings, sent, options)
  for (let retry = 0; ; retry++) {
    const outcome = await once(settings, sent, init, options)
    if ('object' in outcome) return outcome.object as T // the route's own reply
    if (retry >= maxRetries || !outcome.again || options.signal?.aborted) throw outcome.error
    await wait(outcome.waitMs ?? backoffMs(retry), options.signal)
  }
}

type Outcome = { object: unknown } | { error: Error; again: boolean; waitMs?: number | undefined }

async function once(
  settings: Settings,
  sent: Sent,
  init: RequestInit,
  { signal, timeoutMs = settings.timeoutMs }: CallOptions,
): Promise<Outcome> {
  const limit = limited(timeoutMs, signal)
  try {
    const url = `${settings.baseUrl}${sent.path}${queryOf(sent.query)}`
    const response = await settings.fetch(url, { ...init, signal: limit.signal })
    const requestId = response.headers.get('request-id') ?? undefined
    if (response.ok && sent.as === 'blob') return { object: await response.blob() }
    const text = await response.text()
    if (response.ok && sent.as === 'text') return { object: text }
    const body = parsed(text)
    if (response.status === 202 && isApproval(body)) {
      return { error: new VinrApprovalNeeded(body), again: false }
    }
    if (response.ok) return { object: marked(body, response, requestId) }
    const error = errorOf(response.status, body, requestId)
    return { error, again: isRetried(error), waitMs: retryAfterMs(response) }
  } catch (cause) {
    const message = limit.isOver()
      ? `No answer within ${timeoutMs} ms.`
      : `The request did not reach the server: ${cause instanceof Error ? cause.message : cause}`
    return { error: new VinrConnectionError(message, { cause }), again: true }
  } finally {
    limit.end()
  }
}

function initOf(
  { secretKey, session }: Settings,
  { method, body, raw, as }: Sent,
  options: CallOptions,
): RequestInit & { duplex?: 'half' } {
  const headers: Record<string, string> = {
    Accept: as === undefined ? 'application/json' : '*/*',
    ...(secretKey !== undefined && { 'X-Api-Key': secretKey }),
    ...(session?.workspace !== undefined && { 'Vinr-Workspace': session.workspace }),
  }
  // a session is for pages of the server's own origin
  const from = session && ({ credentials: 'same-origin' } as const)
  if (session?.csrfToken !== undefined && method !== 'GET') {
    headers['Vinr-Csrf-Token'] = session.csrfToken
  }
  if (USER_AGENT !== undefined) headers['User-Agent'] = USER_AGENT
  if (options.actor !== undefined) headers['Vinr-Actor'] = actorHeader(options.actor)
  if (method === 'POST') headers['Idempotency-Key'] = options.idempotencyKey ?? crypto.randomUUID()
  if (method === 'GET') return { method, headers, ...from }
  if (raw !== undefined) {
    headers['Content-Type'] = raw.type
    // A stream is sent while it is read; fetch wants to be told.
    return { method, headers, body: raw.body, duplex: 'half', ...from }
  }
  headers['Content-Type'] = 'application/json'
  return { method, headers, body: JSON.stringify(body ?? {}), ...from }
}

/** `<id>[; name="…"]` in UTF-8, a character a byte, as `fetch` takes headers. */
function actorHeader({ id, name }: { id: string; name?: string }): string {
  const text = name === undefined ? id : `${id}; name="${name.replaceAll(/["\\]/g, '\\$&')}"`
  return String.fromCharCode(...new TextEncoder().encode(text))
}

const isRetried = ({ status, code }: VinrError) =>
  RETRIED_STATUSES.has(status) || code === 'idempotency_key_in_use'

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isNaN(seconds) ? undefined : Math.min(seconds * 1_000, LONGEST_WAIT_MS)
}

const backoffMs = (retry: number) =>
  Math.min(FIRST_WAIT_MS * 2 ** retry, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2)

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      // the signal may be that of a whole process, and outlive many calls
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}

function marked(body: unknown, response: Response, requestId: string | undefined): unknown {
  if (typeof body !== 'object' || body === null) return body
  const value: LastResponse = {
    requestId,
    status: response.status,
    replayed: response.headers.get('idempotent-replayed') === 'true',
  }
  return Object.defineProperty(body, 'lastResponse', { value })
}

const isApproval = (body: unknown): body is Approval =>
  typeof body === 'object' && body !== null && 'object' in body && body.object === 'approval'

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
