import { z } from 'zod'
import type { TimelineEntry as Entry, TimelineKey } from '../../db/timeline.ts'
import { pointsOf } from '../../domain/points.ts'
import { TIMELINE_KINDS } from '../../domain/timeline.ts'
import type { Deps } from '../server/deps.ts'
import { presentTierChange, TierChange } from './accounts.ts'
import { points } from './amounts.ts'
import { Identity, presentIdentity } from './identities.ts'
import { id } from './ids.ts'
import { presentRedemption, Redemption } from './redemptions.ts'
import { time } from './times.ts'
import { presentTransactions, Transaction } from './transactions.ts'

const KEY = /^tle_([0-9a-f]{13})_([a-z]{3}_\w{1,60})$/

/** An entry's id: its place in time, and the object that it is about. */
export const timelineEntryId = z
  .string()
  .regex(KEY, 'expected an id that starts with tle_')
  .meta({ example: 'tle_0644aa1d5b2c7_rdm_3kd9' })

const Merge = z.object({
  source: id('loy'),
  into: id('loy'),
  balance: points.meta({ description: 'What the source brought; negative where it owed.' }),
  lifetime_points: points,
})

const about = { id: timelineEntryId, object: z.literal('timeline_entry'), at: time }

/** One thing that happened to a member. */
export const TimelineEntry = z
  .object({
    ...about,
    type: z.enum(TIMELINE_KINDS),
    transaction: Transaction.optional(),
    redemption: Redemption.optional().meta({ description: 'As it is now.' }),
    tier_change: TierChange.optional(),
    identity: Identity.optional(),
    merge: Merge.optional(),
    livemode: z.boolean(),
  })
  .meta({
    id: 'TimelineEntry',
    description: 'One thing that happened to a member, with the object that `type` names.',
  })

type Asker = { workspace: string; livemode: boolean }
type Account = { id: string; program: string }

/** The entries of this account's timeline as the API shows them. */
export async function presentTimeline(
  deps: Deps,
  asker: Asker,
  account: Account,
  entries: readonly Entry[],
): Promise<z.input<typeof TimelineEntry>[]> {
  const rows = entries.flatMap((entry) => (entry.kind === 'transaction' ? [entry.row] : []))
  const transactions = new Map(
    (await presentTransactions(deps, asker, rows)).map((shown) => [shown.id, shown]),
  )
  const decimals = await deps.decimals.ofProgram(asker.workspace, account.program)
  const { livemode } = asker
  return Promise.all(
    entries.map(async (entry) => ({
      id: `tle_${entry.key.hex}_${entry.key.object}`,
      object: 'timeline_entry' as const,
      type: entry.kind,
      at: timeOf(entry).toISOString(),
      ...(await aboutOf(entry)),
      livemode,
    })),
  )

  async function aboutOf(entry: Entry) {
    switch (entry.kind) {
      case 'transaction':
        return { transaction: transactions.get(entry.row.id) }
      case 'redemption':
        return { redemption: await presentRedemption(deps, asker, entry.row, decimals) }
      case 'tier_change':
        return { tier_change: presentTierChange(entry.row, account.id, livemode) }
      case 'identity_registered':
      case 'identity_revoked':
        return { identity: presentIdentity(entry.row, livemode) }
      case 'merge':
        return { merge: mergeOf(entry.row, decimals) }
    }
  }
}

const timeOf = ({ key: { hex } }: Entry): Date => new Date(Number.parseInt(hex, 16) / 1_000)

/** What an event of a merge says: the source as it was left, and what it had before. */
function mergeOf(row: Extract<Entry, { kind: 'merge' }>['row'], decimals: number) {
  const { data, previous, object } = row
  return {
    source: object,
    into: String(data?.merged_into),
    balance: pointsOf(Number(previous?.balance), decimals),
    lifetime_points: pointsOf(Number(previous?.lifetime_points), decimals),
  }
}

/** The place in time that an entry's id says. */
export function timelineKey(entry: string | undefined): TimelineKey | undefined {
  const [, hex, object] = KEY.exec(entry ?? '') ?? []
  return hex === undefined || object === undefined ? undefined : { hex, object }
}
