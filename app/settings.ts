import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { settingsMerge } from '../db/ledger.gen.ts'
import type { Settings, SettingsChange } from '../db/results/workspace.ts'
import { MOST_SETTINGS, readSettings } from '../db/settings.ts'
import { roleOf } from '../db/team-members.ts'
import type { Db } from '../db/workspace-client.ts'
import type { Maker } from '../domain/actor.ts'
import { isApprovalSetting, limitedBy } from '../domain/approval.ts'
import { refuse } from '../domain/refusal.ts'
import { selvesOf } from './approval-limits.ts'
import { refuseBeyond } from './asker.ts'
import type { Dependencies } from './dependencies.ts'
import { idempotent, type Written } from './idempotent.ts'

export function settingsCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /**
     * All settings as they are then; refused (parameter_invalid) where they would be more than `MOST_SETTINGS`. Of
     * approvals nobody changes what they may not, nor a limit of their own.
     */
    mergeSettings: async (
      request: RequestIdentity,
      actor: Maker,
      change: SettingsChange,
    ): Promise<Written<Settings>> => {
      const at = (await databaseNow(pool)).toISOString()
      return idempotent(pool, request, {
        noun: 'settings',
        id: 'settings',
        write: async (tx) => {
          const { workspace } = request
          await refuseOwnLimits(tx, workspace, actor, Object.keys(change).filter(isApprovalSetting))
          const args = { workspace, change, most: MOST_SETTINGS, at }
          return (await settingsMerge(tx, args)).settings
        },
        find: readSettings,
      })
    },
  }
}

async function refuseOwnLimits(
  tx: Db,
  workspace: string,
  actor: Maker,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return
  await refuseBeyond(tx, workspace, actor, ['approvals:write'])
  const selves = await selvesOf(tx, workspace, actor)
  const own = new Set<string | undefined>(selves)
  for (const self of selves) {
    const role = await roleOf(tx, workspace, self)
    if (role !== undefined) own.add(role)
  }
  const name = names.find((one) => own.has(limitedBy(one) ?? ''))
  if (name === undefined) return
  const code = actor.type === 'user' ? 'role_not_allowed' : 'key_not_allowed'
  refuse(code, `${name}: nobody changes a limit of their own.`, { param: name })
}
