import type { RedemptionResult } from '../../db/redemptions.ts'
import type { SealedCode } from '../../domain/gift-card.ts'
import { newGiftCode } from '../../domain/gift-code.ts'
import type { CodeSource } from '../../domain/reward.ts'
import { Outage } from '../outage.ts'
import type { Deps } from '../server/deps.ts'

/** Opens the codes of this workspace's gift cards; undefined for one whose key the server does not have. */
export function codeOpener({ codes }: Deps, workspace: string) {
  return (sealed: string) => codes?.open(workspace, sealed)
}

/** Codes made and sealed for one redemption; undefined where the reward's come from a pool, or it has none. */
export function newCodes(
  { codes }: Deps,
  workspace: string,
  source: CodeSource | null,
  quantity: number,
): SealedCode[] | undefined {
  if (source === null || !('generated' in source)) return undefined
  if (codes === undefined) throw new Outage('The server has no GIFT_CODE_KEYS to seal codes with.')
  const form = source.generated
  return Array.from({ length: quantity }, () => codes.seal(workspace, newGiftCode(form)))
}

const CODE_TRIES = 3 // a code made twice is rarer than a broken disk; a reward changed meanwhile is not

/** Creates with fresh codes where the reward's are to be made for it, and again where it asks for others. */
export async function withCodes(
  deps: Deps,
  { workspace, quantity }: { workspace: string; quantity: number },
  create: (codes: SealedCode[] | undefined) => Promise<RedemptionResult>,
): Promise<RedemptionResult> {
  let result = await create(undefined)
  for (let tries = 0; result.outcome === 'codes_needed' && tries < CODE_TRIES; tries++) {
    result = await create(newCodes(deps, workspace, result.codes ?? null, quantity))
  }
  if (result.outcome === 'codes_needed') {
    throw new Outage('The gift card could not be made. Nothing was written; try again.')
  }
  return result
}
