import type { ErrorCode } from '../../domain/refusal.ts'

type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'unprocessable_error'
  | 'rate_limit_error'
  | 'api_error'

type ErrorRow = {
  readonly status: number
  readonly type: ErrorType
  readonly meaning: string
}

const row =
  (status: number, type: ErrorType) =>
  (meaning: string): ErrorRow => ({
    status,
    type,
    meaning,
  })
const invalid = row(400, 'invalid_request_error')
const conflict = row(409, 'conflict_error')
const unprocessable = row(422, 'unprocessable_error')

/**
 * The one table from error code to HTTP: nothing else in the server writes an
 * error's status. `/docs/errors` prints it; every `doc_url` points there.
 */
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = {
  invalid_json: invalid('The body is not JSON.'),
  parameter_missing: invalid('The parameter named by `param` is required.'),
  parameter_invalid: invalid('The parameter named by `param` has a wrong type or value.'),
  parameter_unknown: invalid('The parameter named by `param` does not exist here.'),
  invalid_signature: invalid('No secret of ours made this signature, or it is too old.'),
  payload_invalid: invalid('The payload does not match the schema of its event type.'),
  payload_personal_data: invalid('The payload carries what looks like personal data.'),
  invalid_api_key: row(
    401,
    'authentication_error',
  )('The API key is missing, unknown, expired or revoked.'),
  invalid_session: row(
    401,
    'authentication_error',
  )('The session is missing, forged, expired or ended, or what should begin one is wrong.'),
  key_not_allowed: row(
    403,
    'permission_error',
  )(
    'The key lacks the scope that `scope` names; a publishable one may only read rewards and ask for quotes.',
  ),
  role_not_allowed: row(
    403,
    'permission_error',
  )('The person’s role lacks the scope that `scope` names, or the change would leave no owner.'),
  csrf_failed: row(
    403,
    'permission_error',
  )(
    'A write with a session’s cookie needs its token in `Vinr-Csrf-Token`, and a page of this origin.',
  ),
  event_type_intrinsic: row(
    403,
    'permission_error',
  )('Only the server itself reports events of this type.'),
  resource_missing: row(
    404,
    'not_found_error',
  )('There is no such object or route in this workspace.'),
  method_not_allowed: row(
    405,
    'invalid_request_error',
  )('The path exists under other methods, which `Allow` lists.'),
  idempotency_key_reused: conflict('This Idempotency-Key was used before with another body.'),
  idempotency_key_in_use: conflict('The first request with this Idempotency-Key is still running.'),
  account_already_exists: conflict(
    'The customer has an active account in this program, or what a till recognises belongs to another member: `resource`.',
  ),
  resource_changed: conflict('The object changed while the request ran. Read it and try again.'),
  approval_already_settled: conflict('The approval has its outcome already: `status`.'),
  approver_is_asker: conflict('Another person than the one who asked approves or declines.'),
  body_too_large: row(413, 'invalid_request_error')('The body is larger than this route accepts.'),
  unsupported_media_type: row(
    415,
    'invalid_request_error',
  )('Send the body as application/json in UTF-8.'),
  insufficient_points: unprocessable('The account has fewer points than `required`.'),
  reward_inactive: unprocessable('The reward is not active.'),
  reward_out_of_stock: unprocessable('Nothing is left of the reward.'),
  reward_not_started: unprocessable('The reward cannot be redeemed yet.'),
  reward_ended: unprocessable('The reward can no longer be redeemed.'),
  limit_reached: unprocessable('The member has reached the limit of this reward.'),
  tier_required: unprocessable('The reward needs a higher tier.'),
  account_closed: unprocessable('The account is closed: it neither earns nor spends.'),
  account_merged: unprocessable('The account was merged into another.'),
  redemption_already_settled: unprocessable('The redemption has its outcome already: `status`.'),
  redemption_already_attached: unprocessable('The redemption belongs to another payment.'),
  redemption_account_mismatch: unprocessable(
    'The redemption belongs to another member than the payment.',
  ),
  redemption_expired: unprocessable('The redemption was not used in time.'),
  redemptions_in_flight: unprocessable(
    'Redemptions are still pending on the account: `redemptions`.',
  ),
  payment_processing: unprocessable('The payment is being processed; wait for its outcome.'),
  not_reversible: unprocessable('This cannot be reversed.'),
  decimals_in_use: unprocessable('Decimals are fixed once a program has a transaction.'),
  currency_mismatch: unprocessable('The currencies do not match.'),
  invalid_precision: unprocessable("The amount has more decimals than the program's currency."),
  budget_exhausted: unprocessable('The budget is used up.'),
  too_many_requests: row(429, 'rate_limit_error')('Slow down; `Retry-After` says for how long.'),
  internal_error: row(
    500,
    'api_error',
  )('Something broke on our side. The request id finds it in the logs.'),
  temporarily_unavailable: row(
    503,
    'api_error',
  )(
    'A part of the server is out of reach, and the outcome may be unknown. Retry with the same Idempotency-Key.',
  ),
}

/** Codes that any route may answer, so that a declaration names only its own. */
export const EVERYWHERE: readonly ErrorCode[] = [
  'invalid_api_key',
  'invalid_session',
  'key_not_allowed',
  'role_not_allowed',
  'csrf_failed',
  'parameter_invalid',
  'parameter_unknown',
  'method_not_allowed',
  'too_many_requests',
  'internal_error',
  'temporarily_unavailable',
]

/** Codes that any route with a JSON body may answer. */
export const WITH_A_BODY: readonly ErrorCode[] = [
  'invalid_json',
  'parameter_missing',
  'body_too_large',
  'unsupported_media_type',
]
