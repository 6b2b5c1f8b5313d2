import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a member is recognised by at a till. */
export const IDENTITY_KINDS = ['external_id', 'phone', 'card', 'device'] as const

/**
 * What a member's device shows as a QR code: `q1.<device>.<step>.<tag>`. The step counts 30 seconds
 * since 1970; the tag is HMAC-SHA256 of `q1.<device>.<step>` under the device's secret, its first
 * 16 bytes in base64url. A device makes one without a connection; the server keeps no secret of it.
 */
const TOKEN_STEP_S = 30

const FORM = /^q1\.(idn_[0-9A-Za-z_]{1,60})\.(\d{1,11})\.([\w-]{22})$/
const TAG_BYTES = 16 // 128 bits: guessing is hopeless within a token's minutes, and the code stays small

type TokenClaim = { readonly device: string; readonly step: number }

/** The token of a device at a moment (unix milliseconds). */
export function memberToken(device: string, secret: Buffer, atMs: number): string {
  const signed = `q1.${device}.${Math.floor(atMs / 1_000 / TOKEN_STEP_S)}`
  return `${signed}.${tagOf(secret, signed).toString('base64url')}`
}

/** What a token claims, where the device's secret made it; compared in constant time. How old it is, is not judged here. */
export function readMemberToken(token: string, key: Buffer): TokenClaim | undefined {
  const [, device, step, tag] = FORM.exec(token) ?? []
  if (device === undefined || step === undefined || tag === undefined) return undefined
  const wanted = tagOf(deviceSecret(key, device), `q1.${device}.${step}`)
  const given = Buffer.from(tag, 'base64url')
  const genuine = given.length === wanted.length && timingSafeEqual(given, wanted)
  return genuine ? { device, step: Number(step) } : undefined
}

export const isMemberToken = (token: string): boolean => token.startsWith('q1.')

/** A workspace's key: its pepper, under the installation's where there is one. */
export function memberKey(pepper: string, installation: string | undefined): Buffer {
  const own = Buffer.from(pepper, 'base64')
  return installation === undefined ? own : createHmac('sha256', installation).update(own).digest()
}

/** The secret of a device, 32 bytes: derived, so that nothing of it is stored. */
export const deviceSecret = (key: Buffer, device: string): Buffer =>
  createHmac('sha256', key).update(`device ${device}`).digest()

const CARD_SIGNS = 26 // base62: 154 bits

/** The token that a card issued here carries: derived as well, so that a repeat of the request gets it again. */
export function issuedCardToken(key: Buffer, card: string): string {
  const digest = createHmac('sha256', key).update(`issue ${card}`).digest('base64')
  return `mc_${digest.replaceAll(/[+/=]/g, '').slice(0, CARD_SIGNS)}`
}

/** How a card's token is stored and found. */
export const cardHash = (key: Buffer, token: string): string => keyedHash(key, `card ${token}`)

/** How a phone is stored and found, from the SHA-256 (hex) of its number in E.164 form, as `+4791234567`. */
export const phoneHash = (key: Buffer, sha256: string): string =>
  keyedHash(key, `phone ${sha256.toLowerCase()}`)

const keyedHash = (key: Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url')

const tagOf = (secret: Buffer, signed: string): Buffer =>
  createHmac('sha256', secret).update(signed).digest().subarray(0, TAG_BYTES)
