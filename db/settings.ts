import type { Database } from './border.ts'
import { settingsRead } from './ledger.gen.ts'

// A flat object that a till reads at start: more than this is a database of its own.
export const MOST_SETTINGS = 200

export const readSettings = (db: Database, workspace: string) => settingsRead(db, { workspace })
