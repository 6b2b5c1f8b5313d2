import { and, eq, inArray, isNull, ne } from 'drizzle-orm'
import { APPROVING_ROLES, type ApprovalKind, type ApprovalStatus } from '../domain/approval.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { apiKey, approval, membership } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type ApprovalRow = typeof approval.$inferSelect

const named = (workspace: string, id: string) =>
  and(eq(approval.workspace, workspace), eq(approval.id, id))

export async function readApproval(
  db: Db,
  workspace: string,
  id: string,
): Promise<ApprovalRow | undefined> {
  return (await db.select().from(approval).where(named(workspace, id)))[0]
}

export const findApproval = (pool: Pool, workspace: string, id: string) =>
  inWorkspace(pool, workspace, (db) => readApproval(db, workspace, id))

/** As it is, locked against another settlement until the transaction ends. */
export async function lockApproval(
  tx: Db,
  workspace: string,
  id: string,
): Promise<ApprovalRow | undefined> {
  return (await tx.select().from(approval).where(named(workspace, id)).for('update'))[0]
}

export const listApprovals = (
  pool: Pool,
  workspace: string,
  { status, kind }: { status?: ApprovalStatus | undefined; kind?: ApprovalKind | undefined },
  page: PageRequest,
): Promise<Page<ApprovalRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, approval, page, [
      eq(approval.workspace, workspace),
      status && eq(approval.status, status),
      kind && eq(approval.kind, kind),
    ]),
  )

/** Who made the key; null where the command line did, or there is no such key. */
export async function makerOfKey(db: Db, workspace: string, id: string) {
  const rows = await db
    .select({ createdBy: apiKey.createdBy })
    .from(apiKey)
    .where(and(eq(apiKey.workspace, workspace), eq(apiKey.id, id)))
  return rows[0]?.createdBy ?? null
}

/** Whether another active member than these people may approve. */
export async function mayAnotherApprove(
  tx: Db,
  workspace: string,
  people: ReadonlySet<string>,
): Promise<boolean> {
  const rows = await tx
    .select({ user: membership.userId })
    .from(membership)
    .where(
      and(
        eq(membership.workspace, workspace),
        isNull(membership.removedAt),
        eq(membership.status, 'active'),
        inArray(membership.role, APPROVING_ROLES),
        ...[...people].map((person) => ne(membership.userId, person)),
      ),
    )
    .limit(1)
  return rows.length > 0
}
