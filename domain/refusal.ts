/**
 * Every error code of the contract (API.md, "Errors"). A rule refuses with a
 * code and the fields that go beside it; only `api/server/errors.ts` knows HTTP.
 */
export const ERROR_CODES = [
  'invalid_json',
  'parameter_missing',
  'parameter_invalid',
  'parameter_unknown',
  'invalid_signature',
  'payload_invalid',
  'payload_personal_data',
  'invalid_api_key',
  'invalid_session',
  'key_not_allowed',
  'role_not_allowed',
  'csrf_failed',
  'event_type_intrinsic',
  'resource_missing',
  'method_not_allowed',
  'idempotency_key_reused',
  'idempotency_key_in_use',
  'account_already_exists',
  'resource_changed',
  'approval_already_settled',
  'approver_is_asker',
  'body_too_large',
  'unsupported_media_type',
  'insufficient_points',
  'reward_inactive',
  'reward_out_of_stock',
  'reward_not_started',
  'reward_ended',
  'limit_reached',
  'tier_required',
  'account_closed',
  'account_merged',
  'redemption_already_settled',
  'redemption_already_attached',
  'redemption_account_mismatch',
  'redemption_expired',
  'redemptions_in_flight',
  'payment_processing',
  'not_reversible',
  'decimals_in_use',
  'currency_mismatch',
  'invalid_precision',
  'budget_exhausted',
  'too_many_requests',
  'internal_error',
  'temporarily_unavailable',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** A rule's "no": the code, a sentence for a person, and the code's own fields. */
export type Refusal = {
  readonly code: ErrorCode
  readonly message: string
  readonly param?: string
  readonly resource?: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/** A refusal on its way up through code that returns something else. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.name = 'Refused'
    this.refusal = refusal
  }
}

/** Throws the refusal of `code`; for the places where there is nothing else to return. */
export function refuse(
  code: ErrorCode,
  message: string,
  more: Omit<Refusal, 'code' | 'message'> = {},
): never {
  throw new Refused({ code, message, ...more })
}

/** The sentence of a 404. */
export const noSuch = (what: string, id: string | undefined): string => `No such ${what}: ${id}.`
