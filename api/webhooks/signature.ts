import { createHmac, timingSafeEqual } from 'node:crypto'

type Signature = { readonly timestamp: number; readonly digests: readonly Buffer[] }

const SHA256_HEX = /^[0-9a-f]{64}$/i
const UNIX_SECONDS = /^\d{1,11}$/

/** Reads `t=<unix>,v1=<hex>[,v1=<hex>]`; undefined where it is not of that form. */
export function readSignature(header: string | undefined): Signature | undefined {
  const parts = (header ?? '').split(',').map((part) => part.trim().split('=', 2))
  const named = (name: string) =>
    parts.flatMap(([key, value]) => (key === name ? [value ?? ''] : []))
  const [time, ...others] = named('t')
  if (time === undefined || others.length > 0 || !UNIX_SECONDS.test(time)) return undefined
  const digests = named('v1').filter((hex) => SHA256_HEX.test(hex))
  if (digests.length === 0) return undefined
  return { timestamp: Number(time), digests: digests.map((hex) => Buffer.from(hex, 'hex')) }
}

/** The digest of a body at a time: HMAC-SHA256 of `t.body`, keyed by the whole secret as text. */
function digestOf(secret: string, timestamp: number, body: Buffer): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
}

/** Whether this secret made one of the signature's digests; in constant time. */
export function isMadeBy(secret: string, { timestamp, digests }: Signature, body: Buffer): boolean {
  const expected = digestOf(secret, timestamp, body)
  return digests.reduce((found, digest) => timingSafeEqual(digest, expected) || found, false)
}
