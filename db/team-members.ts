import { and, eq, inArray, isNull, ne, sql } from 'drizzle-orm'
import type { Maker } from '../domain/actor.ts'
import type { Role } from '../domain/roles.ts'
import type { MembershipStatus } from '../domain/team-member.ts'
import { type Page, type PageRequest, readPage, unknownCursor } from './page.ts'
import type { Pool } from './pool.ts'
import { membership, teamMember } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type MembershipRow = typeof membership.$inferSelect
export type PersonRow = Pick<typeof teamMember.$inferSelect, 'id' | 'email' | 'name'>
/** A person with what they are in this workspace. */
export type TeamMemberRow = { membership: MembershipRow; person: PersonRow }
type MembershipFilter = { role?: Role | undefined; status?: MembershipStatus | undefined }

const standing = (workspace: string) =>
  and(eq(membership.workspace, workspace), isNull(membership.removedAt))

const PERSON = { id: teamMember.id, email: teamMember.email, name: teamMember.name }

/** Whose workspace it is to change who is of it: one such change at a time, so that one owner at least stays. */
export async function lockPeople(tx: Db, workspace: string): Promise<void> {
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended('people ' || ${workspace}, 0))`,
  )
}

export async function findMembership(
  db: Db,
  workspace: string,
  id: string,
): Promise<MembershipRow | undefined> {
  const rows = await db
    .select()
    .from(membership)
    .where(and(standing(workspace), eq(membership.id, id)))
  return rows[0]
}

export const readMembership = (pool: Pool, workspace: string, id: string) =>
  inWorkspace(pool, workspace, (db) => findMembership(db, workspace, id))

export const listMemberships = (
  pool: Pool,
  workspace: string,
  filter: MembershipFilter,
  page: PageRequest,
): Promise<Page<MembershipRow>> =>
  inWorkspace(pool, workspace, (db) => pageOfMemberships(db, workspace, filter, page))

const pageOfMemberships = (
  db: Db,
  workspace: string,
  { role, status }: MembershipFilter,
  page: PageRequest,
) =>
  readPage(db, membership, page, [
    standing(workspace),
    role && eq(membership.role, role),
    status && eq(membership.status, status),
  ])

/** The person, by their own id, in this workspace. */
export async function findTeamMember(
  db: Db,
  workspace: string,
  user: string,
): Promise<TeamMemberRow | undefined> {
  const rows = await db
    .select({ membership, person: PERSON })
    .from(membership)
    .innerJoin(teamMember, eq(teamMember.id, membership.userId))
    .where(and(standing(workspace), eq(membership.userId, user)))
  return rows[0]
}

export const readTeamMember = (pool: Pool, workspace: string, user: string) =>
  inWorkspace(pool, workspace, (db) => findTeamMember(db, workspace, user))

/** A page of people, whose cursors are people too. */
export const listTeamMembers = (
  pool: Pool,
  workspace: string,
  filter: MembershipFilter,
  page: PageRequest,
): Promise<Page<TeamMemberRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    const { startingAfter, endingBefore, ...rest } = page
    const cursor = startingAfter ?? endingBefore
    const at = cursor === undefined ? undefined : await findTeamMember(db, workspace, cursor)
    if (cursor !== undefined && at === undefined) throw unknownCursor(page)
    const of = at?.membership.id
    const { rows, hasMore } = await pageOfMemberships(db, workspace, filter, {
      ...rest,
      ...(of !== undefined && (startingAfter ? { startingAfter: of } : { endingBefore: of })),
    })
    const people = await db
      .select(PERSON)
      .from(teamMember)
      .where(
        inArray(
          teamMember.id,
          rows.map(({ userId }) => userId),
        ),
      )
    const byId = new Map(people.map((person) => [person.id, person]))
    return {
      rows: rows.flatMap((row) => {
        const person = byId.get(row.userId)
        return person === undefined ? [] : [{ membership: row, person }]
      }),
      hasMore,
    }
  })

export async function insertMembership(
  tx: Db,
  row: Pick<MembershipRow, 'workspace' | 'id' | 'userId' | 'role'> & { invitedBy: Maker | null },
): Promise<MembershipRow> {
  const rows = await tx
    .insert(membership)
    .values({ ...row, status: 'invited' })
    .returning()
  if (!rows[0]) throw new Error('membership was not inserted')
  return rows[0]
}

export async function updateMembership(
  tx: Db,
  { workspace, id }: MembershipRow,
  change: Partial<Pick<MembershipRow, 'role' | 'status'>> & { removed?: true },
): Promise<MembershipRow | undefined> {
  const { removed, ...set } = change
  const rows = await tx
    .update(membership)
    .set({ id, ...set, ...(removed && { removedAt: sql`clock_timestamp()` }) })
    .where(and(eq(membership.workspace, workspace), eq(membership.id, id)))
    .returning()
  return rows[0]
}

/** How many owners are active besides this membership. */
export const countOtherOwners = (tx: Db, { workspace, id }: MembershipRow): Promise<number> =>
  tx.$count(
    membership,
    and(
      standing(workspace),
      eq(membership.role, 'owner'),
      eq(membership.status, 'active'),
      ne(membership.id, id),
    ),
  )

/** What the person is in the workspace now, unchanged until the transaction ends; undefined where nothing. */
export async function roleOf(tx: Db, workspace: string, user: string): Promise<Role | undefined> {
  const rows = await tx
    .select({ role: membership.role })
    .from(membership)
    .where(and(standing(workspace), eq(membership.userId, user), eq(membership.status, 'active')))
    .for('share')
  return rows[0]?.role
}
