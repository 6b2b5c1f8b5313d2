/**
 * Postgres says with these that it is going away, starting, out of
 * connections, or that it dropped this statement: another try may succeed.
 */
const PG_CODES = new Set([
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '57014',
  '53300',
  '40001',
  '40P01',
  '55P03',
])
const PG_CONNECTION_CLASS = /^08[0-9A-Z]{3}$/

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

// node-postgres gives these no code.
const PG_MESSAGES =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Client was closed and is not queryable|Cannot use a pool after calling end|Query read timeout)/

/** gRPC: CANCELLED (our own deadline), DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE. */
const GRPC_CODES = new Set([1, 4, 8, 10, 14])

// Temporal's own names for "no answer"; a ServiceError with a cause is judged by its cause.
const NO_ANSWER = new Set(['TransportError', 'WorkflowUpdateRPCTimeoutOrCancelledError'])

/** A dependency out of reach, with what the caller should know of the outcome; answered as 503. */
export class Outage extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Outage'
  }
}

/** Runs `send`; where a dependency is out of reach, says `message` instead of the usual sentence. */
export async function orOutage<T>(message: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    throw isOutage(error) ? new Outage(message, error) : error
  }
}

const DEPTH = 6 // drizzle around pg, the client around gRPC: nobody nests deeper

/**
 * Whether the error says that Postgres or Temporal was out of reach, rather
 * than that we are wrong. Looks through causes and aggregates.
 */
export function isOutage(error: unknown, depth: number = DEPTH): boolean {
  if (!(error instanceof Error) || depth === 0) return false
  if (saysOutage(error)) return true
  if (error instanceof AggregateError && error.errors.some((one) => isOutage(one, depth - 1))) {
    return true
  }
  return isOutage(error.cause, depth - 1)
}

function saysOutage(error: Error): boolean {
  const code: unknown = 'code' in error ? error.code : undefined
  if (typeof code === 'string') {
    return PG_CODES.has(code) || PG_CONNECTION_CLASS.test(code) || SOCKET_CODES.has(code)
  }
  if (typeof code === 'number') return GRPC_CODES.has(code)
  return PG_MESSAGES.test(error.message) || NO_ANSWER.has(error.name)
}
