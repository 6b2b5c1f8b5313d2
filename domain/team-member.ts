import type { Maker } from './actor.ts'
import type { Role } from './roles.ts'

export const MEMBERSHIP_STATUSES = ['invited', 'active', 'disabled'] as const
export type MembershipStatus = (typeof MEMBERSHIP_STATUSES)[number]

/** What a one-time token is for. */
export const TOKEN_KINDS = ['invitation', 'reset', 'sign_in'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

type MembershipFacts = {
  readonly id: string
  readonly userId: string
  readonly role: Role
  readonly status: MembershipStatus
  readonly invitedBy: Maker | null
  readonly createdAt: Date
}

type PersonFacts = { readonly email: string; readonly name: string | null }

/** What a person is in this workspace, as the API shows it. */
export const membershipObject = (row: MembershipFacts, livemode: boolean) => ({
  id: row.id,
  object: 'membership' as const,
  user: row.userId,
  role: row.role,
  status: row.status,
  invited_by: row.invitedBy,
  created_at: row.createdAt.toISOString(),
  livemode,
})

/** A person of this workspace. Until they accept, nothing of them is shown but the address that was invited. */
export const teamMemberObject = (
  row: MembershipFacts,
  { email, name }: PersonFacts,
  livemode: boolean,
) => ({
  id: row.userId,
  object: 'team_member' as const,
  email,
  name: row.status === 'invited' ? null : name,
  status: row.status,
  role: row.role,
  membership: row.id,
  created_at: row.createdAt.toISOString(),
  livemode,
})
