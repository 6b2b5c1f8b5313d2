import type { RequestIdentity } from '../db/idempotency.ts'
import { teamMemberEnsure, teamMemberIsOnlyOf } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import {
  findTeamMember,
  lockPeople,
  type MembershipRow,
  type TeamMemberRow,
  updateMembership,
} from '../db/team-members.ts'
import type { Db } from '../db/workspace-client.ts'
import { type Asker, makerOf } from '../domain/actor.ts'
import { newId } from '../domain/ids.ts'
import { refuse } from '../domain/refusal.ts'
import { type Role, scopesOfRole } from '../domain/roles.ts'
import { refuseBeyond } from './asker.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'
import { invite, newTokenFor, type OneTimeToken } from './invitations.ts'
import { refuseLastOwner } from './memberships.ts'

/** A person with the token that this request made for them; a repeat has none. */
type Invited = Written<TeamMemberRow> & { token: OneTimeToken | undefined }

const noun = 'team member'

/**
 * The writers of who is of a workspace. Each holds the workspace's lock on its people, so that what it reads of
 * them stays true until it has written: the last owner stays one, whoever else is asking at the same time.
 */
export function teamMemberCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Refused: a role beyond the asker's, and somebody who is of the workspace already. */
    inviteTeamMember: async (
      request: RequestIdentity,
      actor: Asker,
      { email, role }: { email: string; role: Role },
    ): Promise<Invited> => {
      let token: OneTimeToken | undefined
      const { workspace } = request
      const user = await teamMemberEnsure(pool, { id: newId('usr'), email, at: new Date() })
      const written = await idempotent(pool, request, {
        noun,
        id: user,
        write: async (tx) => {
          await lockPeople(tx, workspace)
          await refuseBeyond(tx, workspace, actor, scopesOfRole(role))
          const row = await invite(tx, workspace, { user, role, invitedBy: makerOf(actor) })
          token = await newTokenFor(tx, 'invitation', row)
          return findTeamMember(tx, workspace, user)
        },
        find: findTeamMember,
      })
      return { ...written, token }
    },

    /** A new token for somebody who has not accepted yet; the one before it is worthless. */
    inviteAgain: async (request: RequestIdentity, actor: Asker, user: string): Promise<Invited> => {
      let token: OneTimeToken | undefined
      const written = await changeTeamMember(
        pool,
        request,
        actor,
        user,
        async (tx, { membership }) => {
          if (membership.status !== 'invited') {
            refuse('parameter_invalid', 'id: this person has accepted already.', { param: 'id' })
          }
          token = await newTokenFor(tx, 'invitation', membership)
          return membership
        },
      )
      return { ...written, token }
    },

    /**
     * A token by which the person sets another password. Refused (role_not_allowed) where they are of another
     * workspace too: who has the link comes into that one as well.
     */
    resetPassword: async (
      request: RequestIdentity,
      actor: Asker,
      user: string,
      { isMailed }: { isMailed: boolean },
    ): Promise<Invited> => {
      let token: OneTimeToken | undefined
      const { workspace } = request
      const written = await changeTeamMember(
        pool,
        request,
        actor,
        user,
        async (tx, { membership }) => {
          if (!isMailed) await refuseElsewhere(tx, user, workspace)
          token = await newTokenFor(tx, 'reset', { ...membership, id: null, workspace: null })
          return membership
        },
      )
      return { ...written, token }
    },

    /** Refused: the last owner, and somebody who has not accepted yet. */
    setTeamMemberStatus: (
      request: RequestIdentity,
      actor: Asker,
      user: string,
      status: 'active' | 'disabled',
    ): Promise<Written<TeamMemberRow>> =>
      changeTeamMember(pool, request, actor, user, async (tx, { membership }) => {
        if (membership.status === 'invited') {
          refuse('parameter_invalid', 'status: this person has not accepted yet.', {
            param: 'status',
          })
        }
        if (status === 'disabled') await refuseLastOwner(tx, membership)
        return updateMembership(tx, membership, { status })
      }),
  }
}

async function refuseElsewhere(tx: Db, user: string, workspace: string): Promise<void> {
  if (await teamMemberIsOnlyOf(tx, { user, workspace })) return
  const message = 'They are of other workspaces too: whoever runs the server makes their link.'
  refuse('role_not_allowed', message)
}

/** Changes what a person is here. Refused: one whose role is beyond the asker's. */
const changeTeamMember = (
  pool: Pool,
  request: RequestIdentity,
  actor: Asker,
  user: string,
  change: (tx: Db, before: TeamMemberRow) => Promise<MembershipRow | undefined>,
): Promise<Written<TeamMemberRow>> =>
  changeOnce(pool, request, {
    noun,
    id: user,
    lock: async (db, workspace, id) => {
      await lockPeople(db, workspace)
      return findTeamMember(db, workspace, id)
    },
    change: async (tx, before) => {
      await refuseBeyond(tx, request.workspace, actor, scopesOfRole(before.membership.role))
      const membership = await change(tx, before)
      return membership && { ...before, membership }
    },
  })
