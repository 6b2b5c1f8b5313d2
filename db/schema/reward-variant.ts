import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  foreignKey,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
} from 'drizzle-orm/pg-core'
import { idText, units } from './columns.ts'
import { reward } from './redemption.ts'

/** One size or colour of a reward, named by its merchant, with a stock of its own. Never deleted: redemptions name it. */
export const rewardVariant = pgTable(
  'reward_variant',
  {
    workspace: idText('workspace').notNull(),
    reward: idText('reward').notNull(),
    id: text('id').notNull(),
    attributes: jsonb('attributes').$type<Record<string, string>>().notNull().default({}),
    inventory: integer('inventory'),
    // Null: what the reward costs.
    cost: units('cost'),
    active: boolean('active').notNull().default(true),
    position: integer('position').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.reward, t.id] }),
    foreignKey({ columns: [t.workspace, t.reward], foreignColumns: [reward.workspace, reward.id] }),
    check('reward_variant_cost_positive', sql`cost > 0`),
    check('reward_variant_inventory_counts', sql`inventory >= 0`),
  ],
)
