import { type LookupAddress, lookup } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'

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

// What the IANA registries of special-purpose addresses do not call global.
const PRIVATE_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
// Of IPv6 only the global unicast block is public, and in it not these: Teredo and 6to4 carry an
// IPv4 address of the caller's choice.
const GLOBAL_6 = ['2000::/3']
const PRIVATE_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

export type AddressGuard = (address: string) => boolean

const blocked4 = listOf(PRIVATE_4)
const global6 = listOf(GLOBAL_6)
const blocked6 = listOf(PRIVATE_6)
const mapped = listOf(['::ffff:0:0/96'])

/**
 * Whether a webhook may be sent to an address: public ones, and those that the configuration
 * allows (addresses or CIDR blocks). Throws on an entry that is neither.
 */
export function addressGuard(allowed: readonly string[]): AddressGuard {
  const exempt = listOf(allowed)
  return (address) => {
    const family = isIP(address)
    if (family === 0) return false
    if (exempt.check(address, family === 4 ? 'ipv4' : 'ipv6')) return true
    if (family === 4) return !blocked4.check(address, 'ipv4')
    // Node holds an IPv4-mapped address against the IPv4 rules.
    if (mapped.check(address, 'ipv6')) return !blocked4.check(address, 'ipv6')
    return global6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6')
  }
}

function listOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/', 2)
    const family = isIP(address)
    if (family === 0) throw new Error(`WEBHOOK_ALLOWED_ADDRESSES: ${entry} is no address or block`)
    const type = family === 4 ? 'ipv4' : 'ipv6'
    list.addSubnet(address, prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix), type)
  }
  return list
}
