import type { RequestIdentity } from '../db/idempotency.ts'
import {
  countOtherOwners,
  findMembership,
  lockPeople,
  type MembershipRow,
  updateMembership,
} from '../db/team-members.ts'
import type { Db } from '../db/workspace-client.ts'
import type { Asker } from '../domain/actor.ts'
import { refuse } from '../domain/refusal.ts'
import { type Role, scopesOfRole } from '../domain/roles.ts'
import { refuseBeyond } from './asker.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'

const noun = 'membership'

/** The writers of what people are in a workspace; under its lock on its people, as team-members.ts says. */
export function membershipCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Refused: a role, before or after, beyond the asker's; another than owner for the last owner. */
    setRole: (
      request: RequestIdentity,
      actor: Asker,
      id: string,
      role: Role,
    ): Promise<Written<MembershipRow>> =>
      changeOnce(pool, request, {
        noun,
        id,
        lock: lockMembership,
        change: async (tx, before) => {
          const asked = [...scopesOfRole(before.role), ...scopesOfRole(role)]
          await refuseBeyond(tx, request.workspace, actor, asked)
          if (role !== 'owner') await refuseLastOwner(tx, before)
          return updateMembership(tx, before, { role })
        },
      }),

    /** Its id. Refused: a role beyond the asker's, and the last owner. */
    removeMembership: (
      request: RequestIdentity,
      actor: Asker,
      id: string,
    ): Promise<Written<string>> =>
      idempotent(pool, request, {
        noun,
        id,
        write: async (tx) => {
          const before = await lockMembership(tx, request.workspace, id)
          if (before === undefined) return undefined
          await refuseBeyond(tx, request.workspace, actor, scopesOfRole(before.role))
          await refuseLastOwner(tx, before)
          await updateMembership(tx, before, { removed: true })
          return id
        },
        find: async (_db, _workspace, removed) => removed,
      }),
  }
}

async function lockMembership(db: Db, workspace: string, id: string) {
  await lockPeople(db, workspace)
  return findMembership(db, workspace, id)
}

/** A workspace keeps one owner who can sign in. */
export async function refuseLastOwner(tx: Db, row: MembershipRow): Promise<void> {
  if (row.role !== 'owner' || row.status !== 'active') return
  if ((await countOtherOwners(tx, row)) > 0) return
  refuse('role_not_allowed', 'This is the last owner; make another one first.')
}
