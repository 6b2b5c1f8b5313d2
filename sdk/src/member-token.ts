import { hmac } from '@noble/hashes/hmac'
import { sha256 } from '@noble/hashes/sha2'
import { utf8ToBytes } from '@noble/hashes/utils'

const STEP_MS = 30_000
const TAG_BYTES = 16

/**
 * What the member's app shows as a QR code, made without a connection: a new one each 30 seconds,
 * good for three minutes, read by one till. `device` and `secret` are what registering it answered
 * with. Run it in the app; a server has no use for it.
 */
export function memberToken(device: string, secret: string, at: Date = new Date()): string {
  const signed = `q1.${device}.${Math.floor(at.getTime() / STEP_MS)}`
  const tag = hmac(sha256, bytesOf(secret), utf8ToBytes(signed)).slice(0, TAG_BYTES)
  return `${signed}.${base64url(tag)}`
}

function bytesOf(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (sign) => sign.charCodeAt(0))
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
