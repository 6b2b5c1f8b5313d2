import { type Judgement, readJudgements } from '../../db/reward-variants.ts'
import { pointsOf } from '../../domain/points.ts'
import { missing } from '../points-refusal.ts'
import { reasonsOf, withoutFields } from '../redemptions/judge.ts'
import type { Deps } from '../server/deps.ts'

type Shown = { readonly id: string; readonly variants: readonly { readonly id: string }[] }
type Reasons = ReturnType<typeof reasonsOf>
type Judged = { affordable: boolean; reasons: Reasons; points: number }

/**
 * A page of the catalogue with what each reward is to a member: its price, and why they may not have it,
 * to a publishable key without the numbers.
 */
export async function forAccount<R extends Shown>(
  deps: Deps,
  { workspace, publishable }: { workspace: string; publishable: boolean },
  account: { id: string; program: string },
  rewards: readonly R[],
) {
  const ids = rewards.map(({ id }) => id)
  const judgements = await readJudgements(deps.pool, workspace, account.id, ids)
  if (judgements === null) return missing('account', account.id)
  const decimals = await deps.decimals.ofProgram(workspace, account.program)
  const byKey = new Map(
    judgements.map((one) => {
      const judged = shown(one, decimals)
      const reasons = publishable ? withoutFields(judged.reasons) : judged.reasons
      return [keyOf(one.reward, one.variant), { ...judged, reasons }]
    }),
  )
  return rewards.map((reward) => {
    if (reward.variants.length === 0) return { ...reward, ...byKey.get(keyOf(reward.id, null)) }
    const variants = reward.variants.map((variant) => ({
      ...variant,
      ...byKey.get(keyOf(reward.id, variant.id)),
    }))
    return { ...reward, ...best(variants), variants }
  })
}

const keyOf = (reward: string, variant: string | null) => `${reward} ${variant ?? ''}`

function shown({ points, refusals }: Judgement, decimals: number): Judged {
  const reasons = reasonsOf({ refusals, decimals })
  return { affordable: reasons.length === 0, reasons, points: pointsOf(points, decimals) }
}

/** Of several variants the one nearest to being had, and among those the cheapest. */
function best(variants: readonly Partial<Judged>[]): Partial<Judged> {
  const judged = variants.filter((one): one is Judged => one.reasons !== undefined)
  const [first] = judged.sort((a, b) => a.reasons.length - b.reasons.length || a.points - b.points)
  if (first === undefined) return {}
  const { affordable, reasons, points } = first
  return { affordable, reasons, points }
}
