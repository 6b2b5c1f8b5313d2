import { type LookupAddress, lookup } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { AddressGuard } from './addresses.ts'

// From the first byte of the name look-up to the last of the answer.
const TIME_LIMIT_MS = 10_000
// What is kept of an answer; the rest is read, up to the limit, so that the connection can be used again.
const KEPT_BYTES = 2_048
const MOST_BYTES = 65_536

type Answer = { status: number; body: string; retryAfter: string | undefined }
export type Send = (url: string, headers: Record<string, string>, body: string) => Promise<Answer>

/** Raised where the address behind a URL is none that webhooks may reach. */
class AddressRefused extends Error {}

/**
 * Sends one POST. The address is judged at connect time, on the very look-up that the connection
 * uses, so that a name cannot answer otherwise a moment later. Redirects are answers like any
 * other: they are not followed. Throws where no answer came.
 */
export function createSend(allowed: AddressGuard): Send & { close(): void } {
  const guarded = guardedLookup(allowed)
  // Kept-alive connections were judged when they were made.
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxFreeSockets: 64, lookup: guarded }),
    https: new HttpsAgent({ keepAlive: true, maxFreeSockets: 64, lookup: guarded }),
  }
  const send: Send = (url, headers, body) =>
    new Promise((resolve, reject) => {
      const target = new URL(url)
      const host = target.hostname.replace(/^\[|\]$/g, '')
      // A literal address is connected to without a look-up.
      if (isIP(host) !== 0 && !allowed(host)) {
        reject(new AddressRefused(`${host} is not a public address`))
        return
      }
      const signal = AbortSignal.timeout(TIME_LIMIT_MS)
      const options = { method: 'POST', headers, signal }
      const sent =
        target.protocol === 'https:'
          ? httpsRequest(target, { ...options, agent: agents.https })
          : httpRequest(target, { ...options, agent: agents.http })
      const failed = (error: Error) =>
        reject(signal.aborted ? new Error(`no answer within ${TIME_LIMIT_MS / 1_000} s`) : error)
      sent.on('error', failed)
      sent.on('response', (response) => void readAnswer(response).then(resolve, failed))
      sent.end(body)
    })
  return Object.assign(send, {
    close: () => {
      agents.http.destroy()
      agents.https.destroy()
    },
  })
}

/** A look-up that yields only addresses that may be reached; where a name has others as well, none. */
function guardedLookup(allowed: AddressGuard): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 0)
      const refused = found.find(({ address }) => !allowed(address))
      if (refused !== undefined) {
        return callback(new AddressRefused(`${refused.address} is not a public address`), '', 0)
      }
      const first: LookupAddress | undefined = found[0]
      if (options.all === true) return callback(null, found)
      return callback(null, first?.address ?? '', first?.family)
    })
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const kept: Buffer[] = []
  let read = 0
  for await (const chunk of response) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    if (read < KEPT_BYTES) kept.push(bytes.subarray(0, KEPT_BYTES - read))
    read += bytes.length
    if (read > MOST_BYTES) break // ends the loop, and with it the connection
  }
  return {
    status: response.statusCode ?? 0,
    // Postgres holds no NUL.
    body: Buffer.concat(kept).toString('utf8').replaceAll('\0', '\ufffd'),
    retryAfter: response.headers['retry-after'],
  }
}
