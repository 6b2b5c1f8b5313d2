import { databaseNow } from '../db/clock.ts'
import { tierReassess, tierReassessNote, tierReassessPage, tierReview } from '../db/ledger.gen.ts'
import type { ReassessmentPage } from '../db/results/tier.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { eachRow } from './rows.ts'

/** What a review found: the tier now, and when to check again (ISO 8601; null: never). */
type TierState = { readonly tier: string | null; readonly reviewAt: string | null }

type Who = { workspace: string; account: string /** ISO 8601 */; at: string }

/** The writer of tiers outside a member's own transactions. */
export function tierCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    reviewTier: async ({ workspace, account, at }: Who): Promise<TierState> => {
      const { tier, review_at } = await tierReview(pool, { workspace, account, at })
      return { tier, reviewAt: review_at === null ? null : new Date(review_at).toISOString() }
    },
  }
}

// Members between two notes of the progress: what is reviewed again after a crash, some 100 ms of work.
const PAGE = 200
// One activity works for this long, then the workflow says how far it is.
const TURN_MS = 10_000

type ReassessmentState = { ended: boolean; judged: number; changed: number }

/** The walk over a program's members. */
export function tierReassessmentCommands({
  pool,
  onFailure = failuresToStandardError,
}: Pick<Dependencies, 'pool' | 'onFailure'>) {
  return {
    /**
     * Reviews members for some seconds, from where the walk stands; one after the other, each in its own
     * transaction. One who cannot be reviewed is passed over and keeps the tier until the next review,
     * earning or walk.
     */
    reassessTiers: async (
      { workspace, program }: { workspace: string; program: string },
      onProgress: (reviewed: number) => void,
    ): Promise<ReassessmentState> => {
      const untilMs = performance.now() + TURN_MS
      let changed = 0
      for (;;) {
        const page = await tierReassessPage(pool, { workspace, program, most: PAGE })
        if (page.outcome === 'ended') return { ended: true, judged: page.judged, changed }
        if (performance.now() >= untilMs) return { ended: false, judged: page.judged, changed }
        changed += await review({ workspace, program }, page)
        onProgress(page.judged)
      }
    },
  }

  async function review(
    walk: { workspace: string; program: string },
    { revision, accounts }: Extract<ReassessmentPage, { outcome: 'open' }>,
  ): Promise<number> {
    const at = (await databaseNow(pool)).toISOString()
    let changed = 0
    await eachRow(
      accounts.map((account) => ({ ...walk, account })),
      async ({ workspace, account }) => {
        if (await tierReassess(pool, { workspace, account, at })) changed++
      },
      { kind: 'tier_walk', onFailure },
    )
    const through = accounts.at(-1) ?? null
    const reviewed = accounts.length
    // where the tiers have changed meanwhile nothing is noted, and the next page is the first again
    await tierReassessNote(pool, {
      ...walk,
      revision,
      through,
      assessed: reviewed,
      ended: reviewed === 0,
      at,
    })
    return changed
  }
}
