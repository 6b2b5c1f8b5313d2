import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

export type Server = { url: string; key: string }
type RequestOptions = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }

const Stack = z.object({ apiUrl: z.string(), apiKey: z.string() })
const Failure = z.object({
  error: z.object({
    message: z.string(),
    error_count: z.number().default(0),
    errors: z.array(z.object({ line: z.number(), message: z.string() })).default([]),
  }),
})

const MOST_PRINTED = 20
const RETRIES = 60 // a second apart: a server that restarts is back by then
const RETRY_AFTER_MS = 1_000

/** The server that the environment names, else the stack of this folder. */
export async function serverOf(env: NodeJS.ProcessEnv): Promise<Server> {
  const { VINR_BASE_URL: url, VINR_SECRET_KEY: key } = env
  if (url && key) return { url, key }
  const file = join(env.DATA_DIR || '.data', 'stack.json')
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`There is no ${file}: run npm start, or set VINR_BASE_URL and VINR_SECRET_KEY.`)
  })
  const stack = Stack.parse(JSON.parse(text))
  return { url: url || stack.apiUrl, key: key || stack.apiKey }
}

/** The body of a 2xx; asks again where the server is away or busy, which is safe: the key makes it one request. */
export async function ask(
  { url, key }: Server,
  path: string,
  request: () => RequestOptions,
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const { headers, ...rest } = request()
    const answer = await fetch(`${url}${path}`, {
      ...rest,
      headers: { 'X-Api-Key': key, ...headers },
    }).catch((error: unknown) => unreachable(url, error))
    const passes = answer instanceof Error || answer.status === 429 || answer.status >= 500
    if (passes && attempt < RETRIES) {
      await delay(RETRY_AFTER_MS)
      continue
    }
    if (answer instanceof Error) throw answer
    const text = await answer.text()
    if (answer.ok) return JSON.parse(text)
    throw new Error(refusal(answer.status, text))
  }
}

function unreachable(url: string, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return new Error(`${url} cannot be reached: ${cause instanceof Error ? cause.message : cause}`)
}

/** What the server said, with the lines it named. */
function refusal(status: number, text: string): string {
  try {
    const { error } = Failure.parse(JSON.parse(text))
    const shown = error.errors.slice(0, MOST_PRINTED)
    const lines = shown.map(({ line, message }) => `  line ${line}: ${message}`)
    const more = error.error_count - shown.length
    return [error.message, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n')
  } catch {
    return `The server answered ${status}: ${text.slice(0, 200)}`
  }
}
