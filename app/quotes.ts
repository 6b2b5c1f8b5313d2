import type { Pool } from '../db/pool.ts'
import { type Quote, readQuote } from '../db/redemptions.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { inPoints, missing } from './refusals.ts'

/** What a redemption would do now, and why it may not. */
export type Eligibility = Extract<Quote, { outcome: 'judged' }>

type RewardRequest = {
  readonly account: string
  readonly reward: string
  readonly variant?: string | undefined
  readonly quantity: number
}

/** What would happen if this were redeemed now; writes nothing. Refuses what does not exist (404). */
export async function readEligibility(
  { pool, holdMinutes }: { readonly pool: Pool; readonly holdMinutes: number },
  workspace: string,
  request: RewardRequest,
): Promise<Eligibility> {
  const quote = await readQuote(pool, { ...request, workspace, holdMinutes })
  return quote.outcome === 'missing' ? refuseMissing(quote, request) : quote
}

/** Refuses what a redemption names and that does not exist, or a variant that it should name and does not. */
export function refuseMissing(
  { param, has_variants: hasVariants }: { param: string; has_variants?: boolean },
  request: RewardRequest,
): never {
  if (param !== 'variant')
    return missing(param, param === 'reward' ? request.reward : request.account)
  if (hasVariants !== true) {
    refuse('parameter_invalid', 'variant: the reward has none.', { param })
  }
  if (request.variant === undefined) {
    refuse('parameter_missing', 'variant: the reward has several; name one.', { param })
  }
  return missing(param, request.variant)
}

const NONSENSE: Readonly<Record<string, string>> = {
  reward: 'belongs to another program than the account',
  quantity: 'a percentage is given once',
  shipping: 'this reward is not shipped',
}

/** Refuses (400) what nobody could ever ask for, by the parameter that is wrong (`redemption_nonsense`). */
export function refuseNonsense(param: string): never {
  refuse('parameter_invalid', `${param}: ${NONSENSE[param]}.`, { param })
}

/** A refusal as one of the reasons that a quote or the catalogue lists. */
export function reasonsOf({ refusals, decimals }: Pick<Eligibility, 'refusals' | 'decimals'>) {
  return refusals.map((refusal) => reasonOf(inPoints(refusal, decimals)))
}

/** The reasons as a publishable key is told them: their fields say what the member has and what is in stock. */
export const withoutFields = (reasons: ReturnType<typeof reasonsOf>) =>
  reasons.map(({ code, message }) => ({ code, message }))

function reasonOf({ code, message, fields }: Refusal) {
  return { ...fields, code, message }
}
