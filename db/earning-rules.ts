import { and, eq } from 'drizzle-orm'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { earningRule } from './schema/index.ts'
import { type Db, inWorkspace } from './workspace-client.ts'

export type EarningRuleRow = typeof earningRule.$inferSelect
export type NewEarningRule = typeof earningRule.$inferInsert
export type EarningRuleChange = Partial<
  Omit<NewEarningRule, 'workspace' | 'id' | 'program' | 'trigger' | 'createdAt'>
>
type EarningRuleFilter = {
  program?: string
  trigger?: EarningRuleRow['trigger']
  active?: boolean
}

const own = (workspace: string, id: string) =>
  and(eq(earningRule.workspace, workspace), eq(earningRule.id, id))

export const findEarningRule = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<EarningRuleRow | undefined> =>
  inWorkspace(
    pool,
    workspace,
    async (db) => (await db.select().from(earningRule).where(own(workspace, id)))[0],
  )

export const listEarningRules = (
  pool: Pool,
  workspace: string,
  filter: EarningRuleFilter,
  page: PageRequest,
): Promise<Page<EarningRuleRow>> =>
  inWorkspace(pool, workspace, (db) =>
    readPage(db, earningRule, page, [
      eq(earningRule.workspace, workspace),
      filter.program && eq(earningRule.program, filter.program),
      filter.trigger && eq(earningRule.trigger, filter.trigger),
      filter.active !== undefined ? eq(earningRule.active, filter.active) : undefined,
    ]),
  )

export async function insertEarningRule(tx: Db, values: NewEarningRule): Promise<EarningRuleRow> {
  const rows = await tx.insert(earningRule).values(values).returning()
  if (!rows[0]) throw new Error('earning rule was not inserted')
  return rows[0]
}

/** The rule as it is, locked against another change until the transaction ends. */
export async function lockEarningRule(
  tx: Db,
  workspace: string,
  id: string,
): Promise<EarningRuleRow | undefined> {
  const rows = await tx.select().from(earningRule).where(own(workspace, id)).for('no key update')
  return rows[0]
}

/** The rule with the fields given; where none is, as it was. */
export async function updateEarningRule(
  tx: Db,
  before: EarningRuleRow,
  change: EarningRuleChange,
): Promise<EarningRuleRow | undefined> {
  if (Object.values(change).every((value) => value === undefined)) return before
  const ours = own(before.workspace, before.id)
  return (await tx.update(earningRule).set(change).where(ours).returning())[0]
}
