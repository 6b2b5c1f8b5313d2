import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { settingsMerge } from '../db/ledger.gen.ts'
import type { Settings, SettingsChange } from '../db/results/workspace.ts'
import { MOST_SETTINGS, readSettings } from '../db/settings.ts'
import type { Dependencies } from './dependencies.ts'
import { idempotent, type Written } from './idempotent.ts'

export function settingsCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** All settings as they are then; refused (parameter_invalid) where they would be more than `MOST_SETTINGS`. */
    mergeSettings: async (
      request: RequestIdentity,
      change: SettingsChange,
    ): Promise<Written<Settings>> => {
      const at = (await databaseNow(pool)).toISOString()
      return idempotent(pool, request, {
        noun: 'settings',
        id: 'settings',
        write: async (tx) => {
          const { workspace } = request
          const args = { workspace, change, most: MOST_SETTINGS, at }
          return (await settingsMerge(tx, args)).settings
        },
        find: readSettings,
      })
    },
  }
}
