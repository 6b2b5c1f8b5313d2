import { and, eq, type SQL, sql } from 'drizzle-orm'
import { MAX_MOVEMENT } from '../domain/points.ts'
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

/** Keeps the decimals of all programs of the workspace until the transaction ends. */
export async function keepAllDecimals(tx: Db, workspace: string) {
  await tx.execute(sql`
    select ledger.decimals_keep(workspace, id) from (
      select workspace, id from program where workspace = ${workspace} order by id
    ) p`)
}

/**
 * Rewards keep what they cost in points, their tiers and variants too, when the smallest unit changes;
 * false, and nothing is changed, where one would lose a fraction or cost more than any movement.
 */
export async function rescaleRewards(
  tx: Db,
  workspace: string,
  id: string,
  by: number,
): Promise<boolean> {
  const scaled = (cost: SQL) => sql`${cost} * (10::numeric ^ ${by})`
  const ours = sql`r.workspace = ${workspace} and r.program = ${id}`
  const variantCosts = sql`select v.cost from reward_variant v
    where v.workspace = r.workspace and v.reward = r.id`
  const tierCost = sql`t.value::text::numeric`
  const { rows } = await tx.execute<{ broken: boolean }>(sql`
    select exists (select from reward r, lateral (
        select r.cost union all ${variantCosts}
        union all select ${tierCost} from jsonb_each(r.tier_costs) t
      ) c (cost)
      where ${ours} and c.cost is not null
        and (${scaled(sql`c.cost`)} <> floor(${scaled(sql`c.cost`)}) or ${scaled(sql`c.cost`)} > ${MAX_MOVEMENT})
    ) as broken`)
  if (rows[0]?.broken === true) return false
  await tx.execute(sql`
    update reward r set cost = ${scaled(sql`r.cost`)}, decimals = r.decimals + ${by}::int,
      tier_costs = (select jsonb_object_agg(t.key, (${scaled(tierCost)})::bigint) from jsonb_each(r.tier_costs) t)
    where ${ours}`)
  await tx.execute(sql`
    update reward_variant v set cost = ${scaled(sql`v.cost`)} from reward r
    where ${ours} and v.workspace = r.workspace and v.reward = r.id`)
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
    select ledger.point_value_note(p, ${value}, ${currency}, ${at.toISOString()}) from program p
    where p.workspace = ${before.workspace} and p.id = ${before.id}`)
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
