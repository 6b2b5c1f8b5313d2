import { teamMemberByEmail, teamMemberEnsure, tokenCreate } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import {
  findTeamMember,
  insertMembership,
  lockPeople,
  type MembershipRow,
  updateMembership,
} from '../db/team-members.ts'
import { type Db, transact } from '../db/workspace-client.ts'
import { hasWorkspace } from '../db/workspaces.ts'
import type { Maker } from '../domain/actor.ts'
import { newId } from '../domain/ids.ts'
import { refuse } from '../domain/refusal.ts'
import type { Role } from '../domain/roles.ts'
import { hashToken, newToken, TOKEN_MS } from '../domain/sign-in.ts'
import type { TokenKind } from '../domain/team-member.ts'
import type { Dependencies } from './dependencies.ts'

/** A one-time token, which is shown or sent once, and what it is for. */
export type OneTimeToken = { kind: TokenKind; token: string; expiresAt: Date }

/** What whoever runs the installation does at its command line, with nobody's rights but the database's. */
export function invitationCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Throws where there is no such workspace, or the person is of it. */
    inviteFirst: async (workspace: string, email: string, role: Role): Promise<OneTimeToken> => {
      const user = await teamMemberEnsure(pool, { id: newId('usr'), email, at: new Date() })
      return transact(pool, workspace, async (tx) => {
        if (!(await hasWorkspace(tx, workspace)))
          throw new Error(`There is no workspace ${workspace}.`)
        await lockPeople(tx, workspace)
        const known = await findTeamMember(tx, workspace, user)
        if (known !== undefined && known.membership.status !== 'invited') {
          throw new Error(`${email} is of ${workspace} already.`)
        }
        if (known !== undefined) await updateMembership(tx, known.membership, { role })
        const row =
          known?.membership ?? (await invite(tx, workspace, { user, role, invitedBy: null }))
        return newTokenFor(tx, 'invitation', row)
      })
    },

    /** Throws where nobody has this e-mail. */
    resetByEmail: async (email: string): Promise<OneTimeToken> => {
      const user = await teamMemberByEmail(pool, { email })
      if (user === null) throw new Error(`Nobody has the e-mail ${email}.`)
      return newTokenFor(pool, 'reset', { userId: user, workspace: null, id: null })
    },
  }
}

/** Makes somebody a member who has yet to accept. Refused: one who is, or was invited, already. */
export async function invite(
  tx: Db,
  workspace: string,
  { user, role, invitedBy }: { user: string; role: Role; invitedBy: Maker | null },
): Promise<MembershipRow> {
  if ((await findTeamMember(tx, workspace, user)) !== undefined) {
    const message = 'email: this person is of the workspace, or invited, already.'
    return refuse('parameter_invalid', message, { param: 'email', resource: user })
  }
  return insertMembership(tx, { workspace, id: newId('mem'), userId: user, role, invitedBy })
}

type TokenOf = Pick<MembershipRow, 'userId'> & { workspace: string | null; id: string | null }

export async function newTokenFor(
  db: Db | Pool,
  kind: TokenKind,
  { userId: user, workspace, id: membership }: TokenOf,
): Promise<OneTimeToken> {
  const token = newToken()
  const at = new Date()
  const expiresAt = new Date(at.getTime() + TOKEN_MS[kind])
  await tokenCreate(db, {
    hash: hashToken(token),
    kind,
    user,
    workspace,
    membership,
    at,
    expiresAt,
  })
  return { kind, token, expiresAt }
}
