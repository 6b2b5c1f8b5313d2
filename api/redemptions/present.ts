import type { RedemptionRow } from '../../db/redemptions.ts'
import { redemptionObject } from '../../domain/objects/redemption.ts'
import type { Deps } from '../server/deps.ts'
import { codeOpener } from './gift-cards.ts'

/** Redemptions as the API shows them. */
export async function presentRedemptions(
  deps: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly RedemptionRow[],
) {
  const decimalsOf = await deps.decimals.ofPrograms(
    workspace,
    rows.map(({ program }) => program),
  )
  const openCode = codeOpener(deps, workspace)
  return rows.map((row) =>
    redemptionObject(row, { decimals: decimalsOf(row.program), livemode }, openCode),
  )
}

/** One redemption as the API shows it. */
export async function presentRedemption(
  deps: Deps,
  ctx: { workspace: string; livemode: boolean },
  row: RedemptionRow,
) {
  const [object] = await presentRedemptions(deps, ctx, [row])
  if (object === undefined) throw new Error(`redemption ${row.id} was not presented`)
  return object
}
