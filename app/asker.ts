import { scopesOf } from '../db/api-keys.ts'
import { roleOf } from '../db/team-members.ts'
import type { Db } from '../db/workspace-client.ts'
import type { Asker } from '../domain/actor.ts'
import { refuse } from '../domain/refusal.ts'
import { scopesOfRole } from '../domain/roles.ts'
import { firstBeyond } from '../domain/scopes.ts'

/**
 * Refuses what whoever asks has not themselves: nobody gives away more than their own. What they have is read
 * here and held until the transaction ends, so that a change of it comes before this write or after it.
 */
export async function refuseBeyond(
  tx: Db,
  workspace: string,
  actor: Asker,
  asked: readonly string[],
): Promise<void> {
  if (actor.type === 'api_key') {
    const scope = firstBeyond(asked, await scopesOf(tx, workspace, actor.id))
    if (scope === undefined) return
    refuse('key_not_allowed', `This needs a key that has ${scope} itself.`, { fields: { scope } })
  }
  const role = await roleOf(tx, workspace, actor.id)
  const scope = firstBeyond(asked, role === undefined ? [] : scopesOfRole(role))
  if (scope === undefined) return
  const message = `This needs a role that has ${scope} itself.`
  refuse('role_not_allowed', message, { fields: { scope, role: role ?? null } })
}
