import { settingsMerge, settingsRead } from './ledger.gen.ts'
import type { Pool } from './pool.ts'
import type { Settings, SettingsChange } from './results/workspace.ts'
import type { Db } from './workspace-client.ts'

export type { Settings, SettingsChange } from './results/workspace.ts'

// A flat object that a till reads at start: more than this is a database of its own.
export const MOST_SETTINGS = 200

export const readSettings = (db: Pool | Db, workspace: string): Promise<Settings> =>
  settingsRead(db, { workspace })

/** All settings after the change; refused (parameter_invalid) where they would be more than `MOST_SETTINGS`. */
export async function mergeSettings(
  tx: Db,
  workspace: string,
  change: SettingsChange,
  at: string,
): Promise<Settings> {
  return (await settingsMerge(tx, { workspace, change, most: MOST_SETTINGS, at })).settings
}
