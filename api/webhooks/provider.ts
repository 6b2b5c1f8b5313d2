import { isUtf8 } from 'node:buffer'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type {
  PaymentStatus,
  ReportedMore,
  ReportedPayment,
  ReportedRefund,
} from '../../db/results/payment.ts'
import { isWithinYears } from '../../domain/moment.ts'
import { refuse } from '../../domain/refusal.ts'

/** A provider's event in our own words. */
export type ProviderEvent = {
  /** Unique at the provider: a repeat is recognised by it. */
  readonly id: string
  readonly type: string
  /** What it says of the payment's status; null where it says nothing. */
  readonly status: PaymentStatus | null
  /** The whole payment; null where the event is not about one. */
  readonly payment: ReportedPayment | null
  /** What it says beside the payment, or instead of one: refunds, an earning trigger. */
  readonly more?: ReportedMore
  readonly payload: Record<string, unknown>
  /** The paths in the payload at which it says what happened; the rest is about its delivery. */
  readonly content: readonly (readonly string[])[]
}

/** A signing secret of a workspace, with what its provider is configured by. */
export type Signer = {
  readonly secret: string
  readonly mapping?: Readonly<Record<string, unknown>> | null
}

export type Verification<Secret> = {
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
  readonly secrets: readonly Secret[]
  readonly nowMs: number
}

/** How one payment provider signs and words its webhooks. */
export type Provider = {
  /** The secret that signed this body, not too long ago; undefined: none did. */
  verify<Secret extends Signer>(given: Verification<Secret>): Secret | undefined
  /** The event in a verified body; refuses what it cannot be (400), by the parameter's name. */
  read(body: Buffer, signer: Signer): ProviderEvent
}

// jsonb holds neither NUL nor half a surrogate pair, which JSON writes only as these escapes.
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i

/** The JSON of a verified body; refuses what is none, or cannot be stored. */
export function jsonOf(body: Buffer): unknown {
  const { payload, stored } = parsed(body)
  if (UNSTORABLE.test(stored)) {
    return refuse('parameter_invalid', 'The body has characters that cannot be stored.')
  }
  return payload
}

function parsed(body: Buffer): { payload: unknown; stored: string } {
  if (!isUtf8(body)) refuse('invalid_json', 'The body is not valid UTF-8.')
  try {
    const payload: unknown = JSON.parse(body.toString('utf8'))
    return { payload, stored: JSON.stringify(payload) } // throws on what is nested too deep to store
  } catch {
    return refuse('invalid_json', 'The body is not valid JSON.')
  }
}

/** Metadata as providers send it: any scalar, as text. */
export const looseMetadata = z.record(z.string(), z.coerce.string()).nullish()

// Fewer digits are no time at which any payment was made (before September 2001).
const FIRST_PLAUSIBLE = 1_000_000_000

/**
 * The provider's time of an event as ISO 8601, from unix seconds or ISO 8601. Seconds are cut, not
 * rounded, so that the event happened within the second that follows; undefined where it says none.
 * Refuses what lies outside of the years 0001 to 9999.
 */
export function providerTime(
  time: number | string | null | undefined,
  param = 'created',
): string | undefined {
  if (typeof time === 'number') {
    return time < FIRST_PLAUSIBLE ? undefined : isoOf(time * 1_000 + 999, param)
  }
  const parsed = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(parsed) ? undefined : isoOf(parsed, param)
}

function isoOf(ms: number, param: string): string {
  const time = new Date(ms)
  if (isWithinYears(time)) return time.toISOString()
  return refuse('parameter_invalid', `${param}: must be in the years 0001 to 9999 of UTC.`, {
    param,
  })
}

type TheirRefund = {
  readonly id: string
  readonly amount: number
  readonly status?: string | null | undefined
  readonly reason?: string | null | undefined
  readonly return_redemption?: boolean | null | undefined
}

const FAILED = new Set(['failed', 'canceled', 'won', 'reversed', 'warning_closed'])
const INQUIRIES = new Set(['warning_needs_response', 'warning_under_review'])
const PENDING = new Set(['pending', 'requires_action'])

/** Whether a refund (or a dispute, which fails when it is won) stands. */
export function refundStatus(word: string | null | undefined): ReportedRefund['status'] {
  if (word === null || word === undefined) return 'succeeded'
  if (FAILED.has(word)) return 'failed'
  return PENDING.has(word) ? 'pending' : 'succeeded'
}

/** The disputes of these that have taken money: what is only an inquiry yet moves none. */
export const reportedDisputes = (disputes: readonly TheirRefund[]): ReportedRefund[] =>
  disputes.filter(({ status }) => !INQUIRIES.has(status ?? '')).map(reportedRefund('dispute'))

/** A refund in a provider's words as we report it. */
export const reportedRefund =
  (kind: 'refund' | 'dispute') =>
  ({ id, amount, status, reason, return_redemption }: TheirRefund): ReportedRefund => ({
    id,
    amount,
    kind,
    status: refundStatus(status),
    ...(typeof reason === 'string' && { reason }),
    ...(return_redemption === true && { return_redemption }),
  })

export type Signature = { readonly timestamp: number; readonly digests: readonly Buffer[] }

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
export function digestOf(secret: string, timestamp: number, body: Buffer): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
}

/** Whether this secret made one of the signature's digests; in constant time. */
export function isMadeBy(secret: string, { timestamp, digests }: Signature, body: Buffer): boolean {
  const expected = digestOf(secret, timestamp, body)
  return digests.reduce((found, digest) => timingSafeEqual(digest, expected) || found, false)
}
