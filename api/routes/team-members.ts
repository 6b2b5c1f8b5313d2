import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import {
  listTeamMembers as list,
  readTeamMember,
  type TeamMemberRow,
} from '../../db/team-members.ts'
import { ROLES } from '../../domain/roles.ts'
import { MEMBERSHIP_STATUSES, teamMemberObject } from '../../domain/team-member.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import {
  InvitedTeamMember,
  NewTeamMember,
  PasswordReset,
  TeamMember,
  TeamMemberUpdate,
} from '../schemas/team-members.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/team_members'
const declared = { tags: ['team_members'], key: 'secret' } as const
const repeats = ['idempotency_key_reused', 'idempotency_key_in_use'] as const

const present = ({ membership, person }: TeamMemberRow, livemode: boolean) =>
  teamMemberObject(membership, person, livemode)

const createTeamMember = endpoint({
  ...declared,
  method: 'POST',
  path,
  summary: 'Invite somebody',
  description:
    'A one-time token goes to them by mail, where the server has one configured, else it is shown here. Nobody invites to more than their own role or scopes.',
  body: NewTeamMember,
  reply: InvitedTeamMember,
  successCodes: [201, 200],
  errors: repeats,
  handle: async (ctx) => {
    const { livemode, actor, body, deps } = ctx
    const invited = await deps.commands.inviteTeamMember(ctx.request, actor, body)
    const invitation = await deps.tokens.send(invited.token, invited.row.person.email)
    return created(invited, (row) => ({ ...present(row, livemode), invitation }))
  },
})

const listTeamMembers = endpoint({
  ...declared,
  method: 'GET',
  path,
  summary: 'List the people of the workspace',
  query: listQuery('usr', {
    role: z.enum(ROLES).optional(),
    status: z.enum(MEMBERSHIP_STATUSES).optional(),
  }),
  reply: listReply(TeamMember),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await list(deps.pool, workspace, query, pageOf(query))
    const data = rows.map((row) => present(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

const retrieveTeamMember = endpoint({
  ...declared,
  method: 'GET',
  path: '/v1/team_members/{id}',
  summary: 'Retrieve a person of the workspace',
  params: idPath('usr'),
  reply: TeamMember,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await readTeamMember(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('team member', params.id)
    return { status: 'ok', object: present(row, livemode) }
  },
})

const updateTeamMember = endpoint({
  ...declared,
  method: 'PATCH',
  path: '/v1/team_members/{id}',
  summary: 'Disable or enable a person',
  description:
    'A disabled one is of the workspace and may do nothing in it; in others nothing changes for them. The last owner stays active.',
  params: idPath('usr'),
  body: TeamMemberUpdate,
  reply: TeamMember,
  errors: ['resource_missing', ...repeats],
  handle: async (ctx) => {
    const { livemode, actor, params, body, deps } = ctx
    const { status } = body
    const set = await deps.commands.setTeamMemberStatus(ctx.request, actor, params.id, status)
    deps.accessChanged()
    return updated(set, (row) => present(row, livemode))
  },
})

const inviteTeamMemberAgain = endpoint({
  ...declared,
  method: 'POST',
  path: '/v1/team_members/{id}/invite',
  summary: 'Invite somebody again',
  description: 'Who has not accepted yet; the token before is worthless from then on.',
  params: idPath('usr'),
  reply: InvitedTeamMember,
  errors: ['resource_missing', ...repeats],
  handle: async (ctx) => {
    const { livemode, actor, params, deps } = ctx
    const invited = await deps.commands.inviteAgain(ctx.request, actor, params.id)
    const invitation = await deps.tokens.send(invited.token, invited.row.person.email)
    return updated(invited, (row) => ({ ...present(row, livemode), invitation }))
  },
})

const resetTeamMemberPassword = endpoint({
  ...declared,
  method: 'POST',
  path: '/v1/team_members/{id}/reset_password',
  summary: 'Let somebody set another password',
  description:
    'By a one-time token, mailed or shown as an invitation’s. Shown it is for people of this workspace alone: whoever holds it comes into every workspace of theirs.',
  params: idPath('usr'),
  reply: PasswordReset,
  errors: ['resource_missing', ...repeats],
  handle: async (ctx) => {
    const { actor, params, deps } = ctx
    const isMailed = deps.tokens.areMailed
    const reset = await deps.commands.resetPassword(ctx.request, actor, params.id, { isMailed })
    const sent = await deps.tokens.send(reset.token, reset.row.person.email)
    const object = { object: 'password_reset' as const, user: params.id, ...sent }
    return updated(reset, () => object)
  },
})

export const teamMemberRoutes = [
  createTeamMember,
  listTeamMembers,
  retrieveTeamMember,
  updateTeamMember,
  inviteTeamMemberAgain,
  resetTeamMemberPassword,
] as const
