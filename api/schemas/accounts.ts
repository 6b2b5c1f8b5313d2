import { z } from 'zod'
import { type AccountRow, type AccountView, readExpiring } from '../../db/accounts.ts'
import { readPending } from '../../db/earnings.ts'
import { readTierStanding, type TierChangeRow } from '../../db/tiers.ts'
import { ACCOUNT_STATUSES, accountObject, TIER_REASONS } from '../../domain/account.ts'
import { TIER_QUALIFICATIONS } from '../../domain/program.ts'
import type { Deps } from '../server/deps.ts'
import { points } from './amounts.ts'
import { customerId, id } from './ids.ts'
import { metadata, metadataUpdate, text } from './text.ts'
import { time } from './times.ts'

/** How a member stands between tiers. */
const TierProgress = z
  .object({
    qualify_on: z.enum(TIER_QUALIFICATIONS),
    qualifying: z.number().nullable().meta({
      description: 'What counts now: points, or minor units of money. Null under custom.',
    }),
    next: z
      .union([z.object({ tier: z.string(), threshold: z.number(), missing: z.number() }), z.null()])
      .meta({ description: 'The next higher tier and what is missing for it.' }),
    since: time.nullable().meta({ description: 'When the present tier began.' }),
    lapses_at: time
      .nullable()
      .meta({ description: 'When it falls if nothing more is earned, grace included.' }),
  })
  .meta({ id: 'TierProgress' })

/** A member of one program. */
export const Account = z
  .object({
    id: id('loy'),
    object: z.literal('loyalty_account'),
    program: id('prog'),
    customer: z.string().nullable(),
    status: z.enum(ACCOUNT_STATUSES),
    balance: points.meta({ description: 'What can be spent now; below zero is a deficit.' }),
    lifetime_points: points.meta({ description: 'Never falls; tiers look at it.' }),
    pending_points: points.meta({ description: 'Earned, and not yet due to be credited.' }),
    tier: z.string().nullable(),
    tier_progress: TierProgress.optional().meta({ description: 'Where the program has tiers.' }),
    merged_into: id('loy').optional(),
    expiring_points: z
      .array(z.object({ points, expires_at: time }))
      .meta({ description: 'Soonest first.' }),
    metadata,
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'Account', description: 'A member of one program.' })

/** What enrols a member. */
export const NewAccount = z
  .strictObject({
    program: id('prog').default('prog_default'),
    customer: customerId.optional(),
    metadata: metadata.default({}),
  })
  .meta({ id: 'NewAccount' })

/** What may change of a member. */
export const AccountUpdate = z
  .strictObject({
    customer: customerId.nullable().optional().meta({ description: 'Null unlinks.' }),
    metadata: metadataUpdate.optional(),
  })
  .meta({ id: 'AccountUpdate' })

/** Which account goes into which. */
export const AccountMerge = z
  .strictObject({ source: id('loy'), target: id('loy') })
  .meta({ id: 'AccountMerge' })

const LONGEST_NOTE = 200
const LONGEST_TIER = 40

/** The tier a member is given by hand. */
export const AccountTier = z
  .strictObject({ tier: text(LONGEST_TIER).nullable(), reason: text(LONGEST_NOTE).optional() })
  .meta({ id: 'AccountTier' })

/** One change of a member's tier. */
export const TierChange = z
  .object({
    id: id('tch'),
    object: z.literal('tier_change'),
    account: id('loy'),
    from: z.string().nullable(),
    to: z.string().nullable(),
    cause: z.enum(TIER_REASONS),
    reason: z.string().nullable(),
    created_at: time,
    livemode: z.boolean(),
  })
  .meta({ id: 'TierChange', description: 'One change of a member’s tier.' })

/** A change of a tier as the API shows it; `account` is whose it is by now. */
export const presentTierChange = (
  row: TierChangeRow,
  account: string,
  livemode: boolean,
): z.input<typeof TierChange> => ({
  id: row.id,
  object: 'tier_change',
  account,
  from: row.fromTier,
  to: row.toTier,
  cause: row.reason,
  reason: row.note,
  created_at: row.createdAt.toISOString(),
  livemode,
})

/** Accounts as the API shows them, with what expires when, what is pending, and how they stand between tiers. */
export async function presentAccounts(
  { pool, decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly AccountRow[],
): Promise<z.input<typeof Account>[]> {
  const expiring = rows.filter(({ lotsDueFrom }) => lotsDueFrom !== null)
  const tiered: AccountRow[] = []
  for (const row of rows) {
    if (row.tier !== null || (await decimals.hasTiers(workspace, row.program))) tiered.push(row)
  }
  const [pending, lots, tiers] = await Promise.all([
    readPending(pool, workspace, idsOf(rows)),
    expiring.length === 0 ? undefined : readExpiring(pool, workspace, idsOf(expiring)),
    tiered.length === 0 ? undefined : readTierStanding(pool, workspace, idsOf(tiered)),
  ])
  return Promise.all(
    rows.map(async (row) => {
      const scale = { decimals: await decimals.ofProgram(workspace, row.program), livemode }
      return accountObject(row, scale, lots?.get(row.id), pending.get(row.id), tiers?.get(row.id))
    }),
  )
}

const idsOf = (rows: readonly AccountRow[]) => rows.map(({ id }) => id)

/** One account as it was read with all that is shown of it. */
export async function presentView(
  { decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  { row, lots, pending, tier }: AccountView,
): Promise<z.input<typeof Account>> {
  const scale = { decimals: await decimals.ofProgram(workspace, row.program), livemode }
  return accountObject(row, scale, lots, pending, tier)
}

/** One account as the API shows it. */
export async function presentAccount(
  deps: Deps,
  ctx: { workspace: string; livemode: boolean },
  row: AccountRow,
): Promise<z.input<typeof Account>> {
  const [object] = await presentAccounts(deps, ctx, [row])
  if (object === undefined) throw new Error(`account ${row.id} was not presented`)
  return object
}
