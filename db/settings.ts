import { call } from './call.ts'
import type { Pool } from './pool.ts'
import { callOrRefusal } from './refusable-call.ts'
import type { SqlRefusal } from './sql-refusal.ts'

export type Settings = Record<string, string | number | boolean>
export type SettingsChange = Record<string, string | number | boolean | null>

// A flat object that a till reads at start: more than this is a database of its own.
export const MOST_SETTINGS = 200

export const readSettings = (pool: Pool, workspace: string): Promise<Settings> =>
  call<Settings>(pool, 'settings_read', [workspace])

export const mergeSettings = (
  pool: Pool,
  workspace: string,
  change: SettingsChange,
  at: string,
): Promise<{ settings: Settings } | { refusal: SqlRefusal }> =>
  callOrRefusal<{ settings: Settings }>(pool, 'settings_merge', [
    workspace,
    change,
    MOST_SETTINGS,
    at,
  ])
