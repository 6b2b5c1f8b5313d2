import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { mergeSettings, readSettings, type Settings, type SettingsChange } from '../db/settings.ts'
import type { Dependencies } from './dependencies.ts'
import { idempotent, type Written } from './idempotent.ts'

export function settingsCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** All settings as they are then. */
    mergeSettings: async (
      request: RequestIdentity,
      change: SettingsChange,
    ): Promise<Written<Settings>> => {
      const at = (await databaseNow(pool)).toISOString()
      return idempotent(pool, request, {
        noun: 'settings',
        id: 'settings',
        write: (tx) => mergeSettings(tx, request.workspace, change, at),
        find: readSettings,
      })
    },
  }
}
