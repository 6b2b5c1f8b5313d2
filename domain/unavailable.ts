/** Postgres says with these that it is going away, starting, or out of connections. */
const PG_AWAY = new Set(['57P01', '57P02', '57P03', '57P05', '53300'])
const PG_CONNECTION_CLASS = /^08[0-9A-Z]{3}$/

/** And with these that it dropped one statement: another try of it may succeed. */
const PG_DROPPED = new Set(['57014', '40001', '40P01', '55P03'])

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

/** gRPC: CANCELLED (our own deadline), DEADLINE_EXCEEDED, UNAVAILABLE. */
const GRPC_AWAY = new Set([1, 4, 14])

/** gRPC: RESOURCE_EXHAUSTED (of one busy workflow as well), ABORTED. */
const GRPC_DROPPED = new Set([8, 10])

// Temporal's own names for "no answer"; a ServiceError with a cause is judged by its cause.
const NO_ANSWER = new Set(['TransportError', 'WorkflowUpdateRPCTimeoutOrCancelledError'])

const DEPTH = 6 // drizzle around pg, the client around gRPC: nobody nests deeper

/** Whether the error says that Postgres or Temporal was out of reach, or dropped a call that another try may bring through. */
export const isUnavailable = (error: unknown): boolean => says(error, DEPTH, saysUnavailable)

/** Whether it says that Postgres or Temporal is out of reach, for whatever is asked of it. */
export const isAway = (error: unknown): boolean => says(error, DEPTH, saysAway)

/** Looks through causes and aggregates. */
function says(error: unknown, depth: number, saysSo: (error: Error) => boolean): boolean {
  if (!(error instanceof Error) || depth === 0) return false
  if (saysSo(error)) return true
  if (error instanceof AggregateError && error.errors.some((one) => says(one, depth - 1, saysSo))) {
    return true
  }
  return says(error.cause, depth - 1, saysSo)
}

function saysUnavailable(error: Error): boolean {
  const code = codeOf(error)
  if (typeof code === 'string' && PG_DROPPED.has(code)) return true
  if (typeof code === 'number' && GRPC_DROPPED.has(code)) return true
  return saysAway(error)
}

function saysAway(error: Error): boolean {
  const code = codeOf(error)
  if (typeof code === 'string') {
    return PG_AWAY.has(code) || PG_CONNECTION_CLASS.test(code) || SOCKET_CODES.has(code)
  }
  if (typeof code === 'number') return GRPC_AWAY.has(code)
  return PG_MESSAGES.test(error.message) || NO_ANSWER.has(error.name)
}

const codeOf = (error: Error): unknown => ('code' in error ? error.code : undefined)
