import { refusalSentence } from '../domain/ledger-refusal.ts'
import { Refused } from '../domain/refusal.ts'
import { call } from './call.ts'
import { callIn } from './call-in-transaction.ts'
import type { Pool } from './pool.ts'
import type { Settings, SettingsChange } from './results/workspace.ts'
import { refusalRaised } from './sql-refusal.ts'
import type { Db } from './workspace-client.ts'

export type { Settings, SettingsChange } from './results/workspace.ts'

// A flat object that a till reads at start: more than this is a database of its own.
export const MOST_SETTINGS = 200

export const readSettings = (pool: Pool, workspace: string): Promise<Settings> =>
  call<Settings>(pool, 'settings_read', [workspace])

export const readSettingsIn = (tx: Db, workspace: string): Promise<Settings> =>
  callIn<Settings>(tx, 'settings_read', [workspace])

/** All settings after the change; refused (parameter_invalid) where they would be more than `MOST_SETTINGS`. */
export async function mergeSettings(
  tx: Db,
  workspace: string,
  change: SettingsChange,
  at: string,
): Promise<Settings> {
  try {
    const args = [workspace, change, MOST_SETTINGS, at]
    return (await callIn<{ settings: Settings }>(tx, 'settings_merge', args)).settings
  } catch (error) {
    const raised = error instanceof Error && error.cause !== undefined ? error.cause : error // drizzle wraps it
    throw new Refused(refusalSentence(refusalRaised(raised)))
  }
}
