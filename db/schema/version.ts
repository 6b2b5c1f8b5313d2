import { jsonb, pgTable, primaryKey } from 'drizzle-orm/pg-core'
import { idText, instant } from './columns.ts'

/**
 * An earning rule as it was from `validFrom` on, until its next version. A trigger of earning_rule writes it
 * in the transaction of the change. Append-only.
 */
export const ruleVersion = pgTable(
  'rule_version',
  {
    workspace: idText('workspace').notNull(),
    rule: idText('rule').notNull(),
    validFrom: instant('valid_from').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.rule, t.validFrom] })],
)

/** The same of a program. */
export const programVersion = pgTable(
  'program_version',
  {
    workspace: idText('workspace').notNull(),
    program: idText('program').notNull(),
    validFrom: instant('valid_from').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.program, t.validFrom] })],
)
