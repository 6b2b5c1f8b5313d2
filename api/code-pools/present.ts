import { type CodePoolRow, readCodeCounts } from '../../db/code-pools.ts'
import { codePoolObject } from '../../domain/objects/code-pool.ts'
import type { Deps } from '../server/deps.ts'

/** Pools as the API shows them, with how many of their codes are where. */
export async function presentCodePools(
  { pool }: Deps,
  { workspace, livemode }: { workspace: string; livemode: boolean },
  rows: readonly CodePoolRow[],
) {
  const counts = await readCodeCounts(
    pool,
    workspace,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => codePoolObject(row, livemode, counts.get(row.id)))
}
