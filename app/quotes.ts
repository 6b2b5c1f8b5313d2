import { done } from '../db/border.ts'
import { redemptionQuote } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { Quote } from '../db/results/redemption.ts'
import { refusalOf } from '../domain/ledger-refusal.ts'
import type { Refusal } from '../domain/refusal.ts'

/** What a redemption would do now, and why it may not. */
export type Eligibility = Extract<Quote, { outcome: 'quoted' }>

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
  const { account, reward, variant, quantity } = request
  const asked = { workspace, account, reward, variant: variant ?? null, quantity }
  const quote = await redemptionQuote(pool, { ...asked, defaultHoldMinutes: holdMinutes })
  return done(quote, { account, reward, variant })
}

/** A refusal as one of the reasons that a quote or the catalogue lists. */
export function reasonsOf({ refusals, decimals }: Pick<Eligibility, 'refusals' | 'decimals'>) {
  return refusals.map((refusal) => reasonOf(refusalOf(refusal, decimals)))
}

/** The reasons as a publishable key is told them: their fields say what the member has and what is in stock. */
export const withoutFields = (reasons: ReturnType<typeof reasonsOf>) =>
  reasons.map(({ code, message }) => ({ code, message }))

function reasonOf({ code, message, fields }: Refusal) {
  return { ...fields, code, message }
}
