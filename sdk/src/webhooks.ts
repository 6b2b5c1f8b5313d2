import { hmac } from '@noble/hashes/hmac'
import { sha256 } from '@noble/hashes/sha2'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils'
import { VinrSignatureError } from './errors.ts'
import type { VinrEvent } from './types.ts'

const TOLERANCE_S = 300 // older than this, a signature may be somebody's recording

/** What webhooks bring: verified, and typed by their `type`. */
export class Webhooks {
  readonly #secret: string | undefined

  constructor(secret: string | undefined) {
    this.#secret = secret
  }

  /**
   * The event in a webhook's body, where `signature` (the `x-vinr-signature` header) proves it to
   * be ours and no older than 5 minutes. Without a `secret` the client's own is taken. `payload` is
   * the body exactly as it came. Throws VinrSignatureError.
   */
  verify(payload: string | Uint8Array, signature: string, secret = this.#secret): VinrEvent {
    if (secret === undefined || secret === '') {
      throw new VinrSignatureError(
        'There is no secret to verify with: pass one, or set webhookSecret or VINR_WEBHOOK_SECRET.',
      )
    }
    const body = typeof payload === 'string' ? payload : new TextDecoder().decode(payload)
    const { timestamp, digests } = parts(signature)
    const expected = bytesToHex(
      hmac(sha256, utf8ToBytes(secret), utf8ToBytes(`${timestamp}.${body}`)),
    )
    if (!digests.some((digest) => isSame(digest, expected))) {
      throw new VinrSignatureError('The signature was not made with this secret over this body.')
    }
    if (Math.abs(Date.now() / 1_000 - timestamp) > TOLERANCE_S) {
      throw new VinrSignatureError('The signature is too old, or the clocks differ.')
    }
    return JSON.parse(body) as VinrEvent // signed by the server, whose document it follows
  }
}

function parts(signature: string): { timestamp: number; digests: string[] } {
  const pairs = signature.split(',').map((part) => part.trim().split('=', 2))
  const digests = pairs.flatMap(([name, value]) => (name === 'v1' && value ? [value] : []))
  const time = pairs.find(([name]) => name === 't')?.[1] ?? ''
  if (!/^\d{1,11}$/.test(time) || digests.length === 0) {
    throw new VinrSignatureError('The signature is not of the form t=<unix>,v1=<hex>.')
  }
  return { timestamp: Number(time), digests }
}

/** In time that depends on the lengths alone. */
function isSame(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
