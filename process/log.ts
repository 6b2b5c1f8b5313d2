import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino'

const SECRET = /\b([sp]k_(?:test|live)_|whsec_)[\w+/=-]+/g
// drizzle repeats a failed query's parameters in its message: names, addresses.
const PARAMETERS = /\bparams: [\s\S]*?(?=\n\s+at |$)/g

/** Takes keys and secrets out of a text. */
export const withoutSecrets = (text: string): string => text.replace(SECRET, '$1[redacted]')

/** Takes keys, secrets and query parameters out of a text. */
export function scrubbed(text: string): string {
  return withoutSecrets(text).replace(PARAMETERS, 'params: [redacted]')
}

const DEPTH = 4

/** Only these parts of an error are logged: a driver's error carries rows and bodies in its others. */
function errorForLog(error: unknown, depth: number = DEPTH): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? scrubbed(error) : typeof error
  const code: unknown = 'code' in error ? error.code : undefined
  return {
    type: error.name,
    message: scrubbed(error.message),
    code,
    stack: error.stack === undefined ? undefined : scrubbed(error.stack),
    cause: error.cause !== undefined && depth > 1 ? errorForLog(error.cause, depth - 1) : undefined,
  }
}

/** Where a secret could sit if somebody logged an object that holds one. */
const REDACTED = [
  'authorization',
  'x-api-key',
  'apiKey',
  'secret',
  'secretKey',
  'password',
].flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])

/** The process's logger: JSON lines, one process name on each, secrets taken out. */
export function createLog(
  options: { readonly level: string; readonly name: string },
  destination?: DestinationStream,
): Logger {
  const settings: LoggerOptions = {
    level: options.level,
    base: { process: options.name },
    serializers: { err: errorForLog, error: errorForLog },
    redact: { paths: REDACTED, censor: '[redacted]' },
  }
  return destination === undefined ? pino(settings) : pino(settings, destination)
}
