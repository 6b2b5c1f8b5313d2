import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { listMemberships as list, readMembership } from '../../db/team-members.ts'
import { ROLES } from '../../domain/roles.ts'
import { MEMBERSHIP_STATUSES, membershipObject } from '../../domain/team-member.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { Membership, MembershipRemoved, MembershipUpdate } from '../schemas/team-members.ts'
import { updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/memberships'
const declared = { tags: ['memberships'], key: 'secret' } as const
const repeats = ['idempotency_key_reused', 'idempotency_key_in_use'] as const

const listMemberships = endpoint({
  ...declared,
  method: 'GET',
  path,
  summary: 'List memberships',
  query: listQuery('mem', {
    role: z.enum(ROLES).optional(),
    status: z.enum(MEMBERSHIP_STATUSES).optional(),
  }),
  reply: listReply(Membership),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await list(deps.pool, workspace, query, pageOf(query))
    const data = rows.map((row) => membershipObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

const retrieveMembership = endpoint({
  ...declared,
  method: 'GET',
  path: '/v1/memberships/{id}',
  summary: 'Retrieve a membership',
  params: idPath('mem'),
  reply: Membership,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await readMembership(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('membership', params.id)
    return { status: 'ok', object: membershipObject(row, livemode) }
  },
})

const updateMembership = endpoint({
  ...declared,
  method: 'PATCH',
  path: '/v1/memberships/{id}',
  summary: 'Give somebody another role',
  description:
    'It counts within five seconds. Nobody gives, or takes, a role beyond their own; the last owner stays one.',
  params: idPath('mem'),
  body: MembershipUpdate,
  reply: Membership,
  errors: ['resource_missing', ...repeats],
  handle: async (ctx) => {
    const { livemode, actor, params, body, deps } = ctx
    const changed = await deps.commands.setRole(ctx.request, actor, params.id, body.role)
    deps.accessChanged()
    return updated(changed, (row) => membershipObject(row, livemode))
  },
})

const deleteMembership = endpoint({
  ...declared,
  method: 'DELETE',
  path: '/v1/memberships/{id}',
  summary: 'Remove somebody from the workspace',
  description: 'Within five seconds they may do nothing here; the last owner stays.',
  params: idPath('mem'),
  reply: MembershipRemoved,
  errors: ['resource_missing', ...repeats],
  handle: async (ctx) => {
    const { actor, params, deps } = ctx
    const removed = await deps.commands.removeMembership(ctx.request, actor, params.id)
    deps.accessChanged()
    return updated(removed, (id) => ({ id, object: 'membership' as const, deleted: true as const }))
  },
})

export const membershipRoutes = [
  listMemberships,
  retrieveMembership,
  updateMembership,
  deleteMembership,
] as const
