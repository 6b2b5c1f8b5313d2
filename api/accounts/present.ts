import { type AccountRow, readExpiring } from '../../db/accounts.ts'
import { readPending } from '../../db/earnings.ts'
import { accountObject } from '../../domain/objects/account.ts'
import type { Deps } from '../deps.ts'

/** Accounts as the API shows them, with what expires when; three reads for any number. */
export async function presentAccounts(
  { pool, decimals }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly AccountRow[],
) {
  const ids = rows.map(({ id }) => id)
  const [lots, pending] = await Promise.all([
    readExpiring(pool, workspace, ids),
    readPending(pool, workspace, ids),
  ])
  return Promise.all(
    rows.map(async (row) => {
      const scale = { decimals: await decimals.ofProgram(workspace, row.program), livemode }
      return accountObject(row, scale, lots.get(row.id), pending.get(row.id))
    }),
  )
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
