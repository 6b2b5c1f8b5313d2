import { errorOf, VinrConnectionError, type VinrError } from './errors.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export type Settings = {
  secretKey: string
  baseUrl: string
  timeoutMs: number
  maxRetries: number
  fetch: Fetch
}

/** What one call may ask for. */
export type CallOptions = {
  /** The same key gives the same object, however often it is sent. */
  idempotencyKey?: string
  timeoutMs?: number
  maxRetries?: number
  signal?: AbortSignal
}

export type Sent = {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  path: string
  body?: unknown
  query?: object | undefined
}

/** What an answer says beside its object; on each object as `lastResponse`, which is not enumerated. */
export type LastResponse = { requestId: string | undefined; status: number; replayed: boolean }

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8_000
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504])

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
  const { maxRetries = settings.maxRetries } = options
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
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const url = `${settings.baseUrl}${sent.path}${queryOf(sent.query)}`
    const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
    const response = await settings.fetch(url, { ...init, signal: limit })
    const requestId = response.headers.get('request-id') ?? undefined
    const body = parsed(await response.text())
    if (response.ok) return { object: marked(body, response, requestId) }
    const error = errorOf(response.status, body, requestId)
    return { error, again: isRetried(error), waitMs: retryAfterMs(response) }
  } catch (cause) {
    const message = timeout.aborted
      ? `No answer within ${timeoutMs} ms.`
      : `The request did not reach the server: ${cause instanceof Error ? cause.message : cause}`
    return { error: new VinrConnectionError(message, { cause }), again: true }
  }
}

function initOf(
  { secretKey }: Settings,
  { method, body }: Sent,
  options: CallOptions,
): RequestInit {
  const headers: Record<string, string> = { 'X-Api-Key': secretKey, Accept: 'application/json' }
  if (method === 'POST') headers['Idempotency-Key'] = options.idempotencyKey ?? crypto.randomUUID()
  if (method === 'GET') return { method, headers }
  headers['Content-Type'] = 'application/json'
  return { method, headers, body: JSON.stringify(body ?? {}) }
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
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `{ created: { gte: 5 } }` is `created[gte]=5`. */
function queryOf(query: object | undefined): string {
  const search = new URLSearchParams()
  const entries: [string, unknown][] = Object.entries(query ?? {})
  for (const [name, value] of entries) {
    if (value === undefined || value === null) continue
    if (typeof value === 'object' && !(value instanceof Date)) {
      for (const [inner, one] of Object.entries(value)) {
        if (one !== undefined) search.set(`${name}[${inner}]`, textOf(one))
      }
    } else search.set(name, textOf(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

const textOf = (value: unknown) => (value instanceof Date ? value.toISOString() : String(value))
