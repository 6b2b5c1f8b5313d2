import { type AccountView, readTierStanding } from '../../db/account-view.ts'
import { type AccountRow, readExpiring } from '../../db/accounts.ts'
import { readPending } from '../../db/earnings.ts'
import { accountObject } from '../../domain/objects/account.ts'
import type { Deps } from '../server/deps.ts'

/** Accounts as the API shows them, with what expires when, what is pending, and how they stand between tiers. */
export async function presentAccounts(
  { pool, decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly AccountRow[],
) {
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
) {
  const scale = { decimals: await decimals.ofProgram(workspace, row.program), livemode }
  return accountObject(row, scale, lots, pending, tier)
}

/** One account as the API shows it. */
export async function presentAccount(
  deps: Deps,
  ctx: { workspace: string; livemode: boolean },
  row: AccountRow,
) {
  const [object] = await presentAccounts(deps, ctx, [row])
  if (object === undefined) throw new Error(`account ${row.id} was not presented`)
  return object
}
