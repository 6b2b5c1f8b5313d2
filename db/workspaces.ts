import { eq } from 'drizzle-orm'
import { program, workspace } from './schema/index.ts'
import type { Db } from './workspace-client.ts'

/** The program that every workspace has. */
export const DEFAULT_PROGRAM = 'prog_default'

export async function insertWorkspace(
  tx: Db,
  id: string,
  name: string,
  livemode: boolean,
): Promise<void> {
  await tx.insert(workspace).values({ id, name, livemode }).onConflictDoNothing()
  await tx
    .insert(program)
    .values({ workspace: id, id: DEFAULT_PROGRAM, name })
    .onConflictDoNothing()
}

export async function hasWorkspace(tx: Db, id: string): Promise<boolean> {
  const rows = await tx.select({ id: workspace.id }).from(workspace).where(eq(workspace.id, id))
  return rows.length > 0
}

/** Undefined where there is no such workspace. */
export async function readLivemode(tx: Db, id: string): Promise<boolean | undefined> {
  const rows = await tx
    .select({ livemode: workspace.livemode })
    .from(workspace)
    .where(eq(workspace.id, id))
  return rows[0]?.livemode
}
