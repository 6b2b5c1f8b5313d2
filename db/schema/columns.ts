import { sql } from 'drizzle-orm'
import { bigint, customType, jsonb, timestamp } from 'drizzle-orm/pg-core'
import type { RecordedActor } from '../../domain/actor.ts'

/** Ids compare by bytes: faster than any language's order, and the order of creation for dated ids. */
export const idText = customType<{ data: string }>({ dataType: () => 'text collate "C"' })

/** An instant, to the microsecond in the database and to the millisecond here. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** Points in the program's smallest unit, or money in minor units; checked to stay a safe integer. */
export const units = (name: string) => bigint(name, { mode: 'number' })

/** Who the row's transaction was told acts (acting.ts). Null in rows from before it was kept. */
export const actedBy = () =>
  jsonb('actor')
    .$type<RecordedActor>()
    .default(sql`nullif(current_setting('vinr.actor', true), '')::jsonb`)
