import { databaseNow } from '../db/clock.ts'
import { type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import {
  mergeSettings,
  readSettingsIn,
  type Settings,
  type SettingsChange,
} from '../db/settings.ts'
import type { Dependencies } from './dependencies.ts'

export function settingsCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** All settings as they are then. */
    mergeSettings: async (request: RequestIdentity, change: SettingsChange) => {
      const at = (await databaseNow(pool)).toISOString()
      return writeOnce<Settings>(pool, request, {
        resource: 'settings',
        first: (tx) => mergeSettings(tx, request.workspace, change, at),
        again: (tx) => readSettingsIn(tx, request.workspace),
      })
    },
  }
}
