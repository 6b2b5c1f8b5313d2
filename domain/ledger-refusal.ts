import { pointsOf } from './points.ts'
import { type ErrorCode, noSuch, type Refusal } from './refusal.ts'

type Fields = Readonly<Record<string, unknown>>

// Points are in the smallest unit here; the API's edge converts `required`, `available` and `missing`.
const SENTENCES: Partial<Record<ErrorCode, (fields: Fields) => string>> = {
  account_closed: () => 'The account is closed: it neither earns nor spends.',
  reward_inactive: () => 'The reward is not active.',
  reward_not_started: ({ starts_at }) => `The reward starts at ${starts_at}.`,
  reward_ended: ({ ends_at }) => `The reward ended at ${ends_at}.`,
  reward_out_of_stock: () => 'The reward is out of stock.',
  limit_reached: ({ limit, window }) =>
    `The member has reached the limit of ${limit}${typeof window === 'string' ? ` a ${window}` : ''} for this reward.`,
  tier_required: ({ min_tier }) => `The reward needs tier ${min_tier}.`,
  insufficient_points: () => 'The account has not enough points.',
  redemption_already_settled: ({ status }) => `The redemption is ${status} already.`,
  redemption_already_attached: ({ resource }) =>
    `The redemption is attached to payment ${resource}.`,
  redemption_account_mismatch: () => 'The redemption belongs to another member than the payment.',
  redemption_expired: ({ expires_at }) => `The redemption expired at ${expires_at}.`,
  currency_mismatch: ({ currency }) => `The discount is in ${currency}, the payment is not.`,
  payment_processing: () =>
    'The payment is being processed by its provider; wait until it completes or fails.',
  not_reversible: ({ status, credit, available }) => {
    if (typeof credit === 'string') {
      return `The store credit was spent or has expired; at most ${available} points can be reversed.`
    }
    if (typeof status !== 'string') return 'This cannot be reversed.'
    if (status === 'completed') return 'Nothing is left of the payment to refund here.'
    return `The payment is ${status}: only a completed one is refunded.`
  },
  resource_changed: ({ status, earns, shown }) => {
    if (typeof shown === 'string') return `What the approval shows no longer holds (${shown}).`
    if (earns === false) return `The payment is ${status}: only a completed one earns.`
    return `The payment is ${status} already.`
  },
  approval_already_settled: ({ status }) => `The approval is ${status} already.`,
  idempotency_key_reused: () => 'This Idempotency-Key was used with another request.',
  resource_missing: (fields) =>
    'reward' in fields
      ? `The program has no such reward: ${fields.reward}.`
      : 'account' in fields
        ? `No such account: ${fields.account}.`
        : `No such redemption: ${fields.redemption}.`,
  parameter_invalid: invalid,
  account_already_exists: ({ kind, resource }) =>
    typeof kind === 'string'
      ? `Another member is recognised by this ${kind.replace('_', ' ')}: ${resource}.`
      : 'The customer has an account in this program.',
  account_merged: ({ resource }) => `The account was merged; ${resource} stands for it.`,
  redemptions_in_flight: () => 'Redemptions are pending: settle or cancel them first.',
}

function invalid(fields: Fields): string {
  const { param } = fields
  if ('remaining' in fields) return `${param}: of a payment that charged something, at least 1.`
  if ('left' in fields) return `${param} must be at most what is left (${fields.left}).`
  if ('gift' in fields) return `${param}: what an event gave is reversed as a whole.`
  if ('cards' in fields) return `${param}: some of several gift cards are returned by \`quantity\`.`
  if ('whole' in fields) return `${param}: a pending redemption is reversed as a whole.`
  if ('ships' in fields) return `${param}: this redemption has nothing to ship.`
  if ('charged' in fields) return `${param}: no completed payment was charged with the discount.`
  if ('countable' in fields)
    return `${param}: the account would have had more points than can be counted exactly.`
  if ('worth' in fields) return `${param}: the points are worth more than any discount may be.`
  if (param === 'hold')
    return 'hold: the event’s reactors do not take points, or do more than that.'
  if (param === 'payload.points') return `${param}: the event moved ${fields.available}.`
  if ('most' in fields) return `${param}: has more than ${fields.most} keys.`
  if ('program' in fields) return `${param}: is in another program than the source.`
  if (fields.wallet === 'unnamed') return `${param}: name the account whose credit is to be spent.`
  if (fields.wallet === 'other_customer') {
    return `${param}: the account belongs to another customer than the payment.`
  }
  if ('same' in fields) return `${param}: is the same account.`
  if (fields.qualify_on === 'custom') return `${param}: the program has no such tier.`
  if ('qualify_on' in fields) return `${param}: tiers are not set by hand in this program.`
  return `${param} must be at most what is left (${fields.available}).`
}

// Postgres says them with an offset; the API says every time as JavaScript does.
const TIMES = ['starts_at', 'ends_at', 'expires_at']

const withTimes = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      TIMES.includes(name) && typeof value === 'string' ? new Date(value).toISOString() : value,
    ]),
  )

/** A refusal of the ledger as a person reads it, its fields beside it, times in ISO 8601 (UTC). */
export function refusalSentence({ code, ...given }: { code: ErrorCode } & Fields): Refusal {
  const fields = withTimes(given)
  const { param, resource, ships: _, earns: __, ...rest } = fields // said by the sentence alone
  return {
    code,
    message: SENTENCES[code]?.(fields) ?? `Refused: ${code}.`,
    ...(typeof param === 'string' && { param }),
    ...(typeof resource === 'string' && { resource }),
    fields: rest,
  }
}

/** A ledger function's "no": the code and its fields; points in the smallest unit, dates as text. */
export type SqlRefusal = { code: ErrorCode } & Readonly<Record<string, unknown>>

/** A ledger function's answer, where that may be a "no". */
export type LedgerAnswer = {
  outcome: string
  refusal?: SqlRefusal
  /** What the refusal's points are counted in. */
  decimals?: number
  /** What is missing, or makes no sense; a missing one without it is what the call was of. */
  param?: string
  has_variants?: boolean
}

/** What a call named, by parameter; what it was of comes first. */
export type Named = Readonly<Record<string, string | undefined>>

/** The "no" of a ledger function as the API says it; undefined where it did what it was called for. */
export function refusalIn(answer: LedgerAnswer, named: Named): Refusal | undefined {
  const { outcome, refusal, decimals, param } = answer
  if (refusal !== undefined && !isMissing(refusal)) return refusalOf(refusal, decimals)
  if (outcome === 'invalid' && param !== undefined) return invalidParam(param)
  if (refusal === undefined && outcome !== 'missing') return undefined
  const of = refusal?.param ?? param
  return typeof of === 'string' ? missingParameter(of, answer, named) : missingObject(named)
}

/** Whether it says only that something is not there, and the call which. */
const isMissing = (refusal: SqlRefusal): boolean =>
  refusal.code === 'resource_missing' &&
  Object.keys(refusal).every((field) => ['code', 'param'].includes(field))

// The fields that the ledger fills with points in the smallest unit.
const IN_UNITS = ['required', 'available', 'missing']

/** The ledger's refusal as the API says it: a sentence, and points in the program's decimals. */
export function refusalOf(refusal: SqlRefusal, decimals = 0): Refusal {
  const converted: Record<string, unknown> = { ...refusal }
  for (const name of IN_UNITS) {
    const units = refusal[name]
    if (typeof units === 'number') converted[name] = pointsOf(units, decimals)
  }
  return refusalSentence({ ...converted, code: refusal.code })
}

const INVALID: Readonly<Record<string, string>> = {
  reward: 'belongs to another program than the account',
  quantity: 'a percentage is given once',
  shipping: 'this reward is not shipped',
}

/** What nobody could ever ask for, by the parameter that is wrong (`redemption_invalid_param`). */
export const invalidParam = (param: string): Refusal => ({
  code: 'parameter_invalid',
  message: `${param}: ${INVALID[param]}.`,
  param,
})

/** Nothing where a call named nothing: it is not refused, for its answer says more than that. */
function missingObject(named: Named): Refusal | undefined {
  const [of] = Object.entries(named)
  return of && { code: 'resource_missing', message: noSuch(...of) }
}

function missingParameter(
  param: string,
  { has_variants: hasVariants }: LedgerAnswer,
  named: Named,
): Refusal {
  if (param === 'variant' && hasVariants !== true) {
    return { code: 'parameter_invalid', message: 'variant: the reward has none.', param }
  }
  if (param === 'variant' && named.variant === undefined) {
    const message = 'variant: the reward has several; name one.'
    return { code: 'parameter_missing', message, param }
  }
  return { code: 'resource_missing', message: noSuch(param, named[param]), param }
}
