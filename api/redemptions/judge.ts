import { type Precheck, precheckRedemption } from '../../db/redemptions.ts'
import { waitsForFulfillment } from '../../domain/fulfillment.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Deps } from '../deps.ts'
import { inPoints, missing } from '../points-refusal.ts'

export type Judged = Extract<Precheck, { outcome: 'judged' }>

type Asked = {
  readonly account: string
  readonly reward: string
  readonly variant?: string | undefined
  readonly quantity: number
}

const NO_SUCH_ID = '' // a question is no create: there is nothing stored to find

/** The pre-check of something asked, and not to be created by its own id. */
export const precheckAsked = (
  { pool, holdMinutes }: Deps,
  workspace: string,
  { account, reward, quantity, variant }: Asked,
): Promise<Precheck> =>
  precheckRedemption(pool, workspace, NO_SUCH_ID, account, reward, quantity, holdMinutes, variant)

/** What would happen if this were redeemed now; writes nothing. Refuses what does not exist (404). */
export async function judge(deps: Deps, workspace: string, asked: Asked): Promise<Judged> {
  const found = await precheckAsked(deps, workspace, asked)
  if (found.outcome === 'missing') return refuseMissing(found, asked)
  if (found.outcome === 'exists') throw new Error('a redemption without an id')
  return found
}

/** Refuses what a redemption names and that does not exist, or a variant that it should name and does not. */
export function refuseMissing(
  { param, has_variants: hasVariants }: { param: string; has_variants?: boolean },
  asked: Asked,
): never {
  if (param !== 'variant') return missing(param, param === 'reward' ? asked.reward : asked.account)
  if (hasVariants !== true) {
    refuse('parameter_invalid', 'variant: the reward has none.', { param })
  }
  if (asked.variant === undefined) {
    refuse('parameter_missing', 'variant: the reward has several; name one.', { param })
  }
  return missing(param, asked.variant)
}

/**
 * Refuses (400) what no account could ever ask for: a reward of another program, a percentage
 * twice, an address for what is not shipped.
 */
export function refuseNonsense(
  { same_program, reward_type }: Judged,
  { quantity, shipping = null }: { quantity: number; shipping?: object | null },
): void {
  if (!same_program) {
    refuse('parameter_invalid', 'reward: belongs to another program than the account.', {
      param: 'reward',
    })
  }
  if (reward_type === 'discount_percent' && quantity > 1) {
    refuse('parameter_invalid', 'quantity: a percentage is given once.', { param: 'quantity' })
  }
  if (shipping !== null && !waitsForFulfillment(reward_type)) {
    refuse('parameter_invalid', 'shipping: this reward is not shipped.', { param: 'shipping' })
  }
}

/** A refusal as one of the reasons that a quote or the catalogue lists. */
export function reasonsOf({ refusals, decimals }: Pick<Judged, 'refusals' | 'decimals'>) {
  return refusals.map((refusal) => reasonOf(inPoints(refusal, decimals)))
}

/** The reasons as a publishable key is told them: their fields say what the member has and what is in stock. */
export const withoutFields = (reasons: ReturnType<typeof reasonsOf>) =>
  reasons.map(({ code, message }) => ({ code, message }))

function reasonOf({ code, message, fields }: Refusal) {
  return { ...fields, code, message }
}
