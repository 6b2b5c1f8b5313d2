import { and, eq } from 'drizzle-orm'
import type { Pool } from './pool.ts'
import { program } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

export type ProgramRow = typeof program.$inferSelect

export const findProgram = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<ProgramRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(program)
      .where(and(eq(program.workspace, workspace), eq(program.id, id)))
    return rows[0]
  })

/** Every program of the workspace; there are few, and the edge needs their decimals. */
export const listPrograms = (pool: Pool, workspace: string): Promise<ProgramRow[]> =>
  inWorkspace(pool, workspace, (db) =>
    db.select().from(program).where(eq(program.workspace, workspace)),
  )
