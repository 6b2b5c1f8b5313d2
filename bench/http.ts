import { Agent, request } from 'node:http'

const ANSWERED_WITHIN_MS = 60_000 // far beyond any latency here: this one is lost

/** A server's answer that the load did not expect. Nothing is retried: one of these ends the run. */
export class UnexpectedAnswer extends Error {
  readonly status: number

  constructor(path: string, status: number, body: string) {
    super(`POST ${path} answered ${status}: ${body.slice(0, 500)}`)
    this.name = 'UnexpectedAnswer'
    this.status = status
  }
}

export interface HttpClient {
  /** Sends JSON (or a body already written) and returns the parsed answer of a 2xx. */
  post(path: string, body: unknown, headers: Record<string, string>): Promise<unknown>
  close(): void
}

/**
 * The client that loads every contender: keep-alive connections, as many as requests are in
 * flight, no retries, no redirects.
 */
export function openClient(origin: string): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const { hostname, port } = new URL(origin)

  function post(path: string, body: unknown, headers: Record<string, string>): Promise<unknown> {
    const payload = typeof body === 'string' ? body : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent,
          hostname,
          port,
          path,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
            ...headers,
          },
        },
        (incoming) => {
          let text = ''
          incoming.setEncoding('utf8')
          incoming.on('data', (chunk: string) => {
            text += chunk
          })
          incoming.on('error', reject)
          incoming.on('end', () => {
            const status = incoming.statusCode ?? 0
            if (status >= 200 && status < 300) resolve(JSON.parse(text))
            else reject(new UnexpectedAnswer(path, status, text))
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.setTimeout(ANSWERED_WITHIN_MS, () => {
        outgoing.destroy(new Error(`POST ${path} was not answered in time`))
      })
      outgoing.end(payload)
    })
  }

  return { post, close: () => agent.destroy() }
}
