import { and, eq, sql } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { account, program } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

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
  inWorkspace(pool, workspace, (db) => programsIn(db, workspace))

export const programsIn = (db: Db, workspace: string): Promise<ProgramRow[]> =>
  db.select().from(program).where(eq(program.workspace, workspace))

/** Programs by page, newest first. */
export const readPrograms = (
  pool: Pool,
  workspace: string,
  page: PageRequest,
): Promise<Page<ProgramRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, program, page, [eq(program.workspace, workspace)]),
  )

export type NewProgram = typeof program.$inferInsert
export type ProgramChange = Partial<Omit<NewProgram, 'workspace' | 'id' | 'createdAt'>>

export async function insertProgram(tx: Db, values: NewProgram): Promise<ProgramRow> {
  const rows = await tx.insert(program).values(values).returning()
  if (!rows[0]) throw new Error('program was not inserted')
  return rows[0]
}

/** The program, locked against another update until the transaction ends. */
export async function lockProgram(
  tx: Db,
  workspace: string,
  id: string,
): Promise<ProgramRow | undefined> {
  const rows = await tx
    .select()
    .from(program)
    .where(and(eq(program.workspace, workspace), eq(program.id, id)))
    .for('update')
  return rows[0]
}

export async function updateProgram(tx: Db, workspace: string, id: string, change: ProgramChange) {
  const rows = await tx
    .update(program)
    .set(change)
    .where(and(eq(program.workspace, workspace), eq(program.id, id)))
    .returning()
  return rows[0]
}

/** Whether something is kept in the program's smallest unit; no movement is written until this transaction ends. */
export async function areDecimalsUsed(tx: Db, workspace: string, id: string): Promise<boolean> {
  const { rows } = await tx.execute<{ used: boolean }>(
    sql`select decimals_used(${workspace}, ${id}) as used`,
  )
  return rows[0]?.used === true
}

/** Rewards keep what they cost in points when the smallest unit changes; undefined where one would lose a fraction. */
export async function rescaleRewards(
  tx: Db,
  workspace: string,
  id: string,
  by: number,
): Promise<boolean> {
  const factor = sql`(10::numeric ^ ${by})`
  const { rows } = await tx.execute<{ broken: boolean }>(sql`
    select exists (select from reward where workspace = ${workspace} and program = ${id}
      and cost * ${factor} <> floor(cost * ${factor})) as broken`)
  if (rows[0]?.broken === true) return false
  await tx.execute(
    sql`update reward set cost = cost * ${factor} where workspace = ${workspace} and program = ${id}`,
  )
  return true
}

/** Notes what a point is worth from `at` on, for liability at a past instant. */
export async function notePointValue(
  tx: Db,
  before: ProgramRow,
  value: number,
  currency: string,
  at: Date,
) {
  await tx.execute(sql`
    select point_value_note(p, ${value}, ${currency}, ${at.toISOString()}) from program p
    where p.workspace = ${before.workspace} and p.id = ${before.id}`)
}

/** After a change of its warnings: the accounts look earlier where they must. */
export async function rewakeProgram(
  tx: Db,
  workspace: string,
  id: string,
  at: Date,
): Promise<void> {
  await tx.execute(sql`select program_rewake(${workspace}, ${id}, ${at.toISOString()})`)
}

/** Whether the database knows the time zone by this name, as JavaScript does. */
export const isTimeZone = async (pool: Pool, name: string): Promise<boolean> => {
  const { rows } = await pool.query<{ known: boolean }>(
    'select exists (select from pg_timezone_names where name = $1) as known',
    [name],
  )
  return rows[0]?.known === true
}

/** The programs of these accounts, by account. */
export const findPrograms = (
  pool: Pool,
  workspace: string,
  accounts: string[],
): Promise<Map<string, ProgramRow>> =>
  inWorkspace(pool, workspace, async (db) => {
    const programs = new Map(
      (await db.select().from(program).where(eq(program.workspace, workspace))).map((row) => [
        row.id,
        row,
      ]),
    )
    const rows = await db
      .select({ id: account.id, program: account.program })
      .from(account)
      .where(
        and(
          eq(account.workspace, workspace),
          sql`${account.id} = any (${sql.param([...new Set(accounts)])}::text[])`,
        ),
      )
    return new Map(
      rows.flatMap((row) => {
        const found = programs.get(row.program)
        return found === undefined ? [] : [[row.id, found] as const]
      }),
    )
  })
