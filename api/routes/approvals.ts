import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { findApproval, listApprovals as readApprovals } from '../../db/approvals.ts'
import { APPROVAL_KINDS, APPROVAL_STATUSES, approvalObject } from '../../domain/approval.ts'
import { Approval, ApprovalApproval, ApprovalNote } from '../schemas/approvals.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/approvals'
const about = { tags: ['approvals'], key: 'secret', reply: Approval } as const

const listApprovals = endpoint({
  ...about,
  method: 'GET',
  path,
  summary: 'List approvals',
  query: listQuery('apr', {
    status: z.enum(APPROVAL_STATUSES).optional(),
    kind: z.enum(APPROVAL_KINDS).optional(),
  }),
  reply: listReply(Approval),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { status, kind } = query
    const page = await readApprovals(deps.pool, workspace, { status, kind }, pageOf(query))
    const data = page.rows.map((row) => approvalObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, page.hasMore) }
  },
})

const retrieveApproval = endpoint({
  ...about,
  method: 'GET',
  path: '/v1/approvals/{id}',
  summary: 'Retrieve an approval',
  params: idPath('apr'),
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findApproval(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('approval', params.id)
    return { status: 'ok', object: approvalObject(row, livemode) }
  },
})

const settling = [
  'resource_missing',
  'approval_already_settled',
  'idempotency_key_reused',
  'idempotency_key_in_use',
] as const

const approveApproval = endpoint({
  ...about,
  method: 'POST',
  path: '/v1/approvals/{id}/approve',
  summary: 'Approve it: what it shows is done at once',
  description:
    'By another person than the asker; a key that the asker made is the asker. Where no other active member may, an owner confirms it a minute after asking, with `number`. Refused as the command is, with nothing changed, and with `resource_changed` where what it shows no longer holds.',
  params: idPath('apr'),
  body: ApprovalApproval,
  errors: [
    ...settling,
    'approver_is_asker',
    'resource_changed',
    'insufficient_points',
    'account_closed',
  ],
  handle: async (ctx) => {
    const { actor, body, params, livemode } = ctx
    const { note = null, number } = body
    const approval = { id: params.id, actor, note, number }
    const approved = await ctx.deps.commands.approve(ctx.request, approval)
    return updated(approved, (row) => approvalObject(row, livemode))
  },
})

const declineApproval = endpoint({
  ...about,
  method: 'POST',
  path: '/v1/approvals/{id}/decline',
  summary: 'Decline it: nothing is done',
  params: idPath('apr'),
  body: ApprovalNote,
  errors: [...settling, 'approver_is_asker'],
  handle: async (ctx) => {
    const { actor, body, params, livemode } = ctx
    const settlement = { id: params.id, actor, note: body.note ?? null }
    const declined = await ctx.deps.commands.decline(ctx.request, settlement)
    return updated(declined, (row) => approvalObject(row, livemode))
  },
})

const withdrawApproval = endpoint({
  ...about,
  method: 'POST',
  path: '/v1/approvals/{id}/withdraw',
  summary: 'Withdraw what one asked for',
  description: 'By the asker, who needs not be one who may approve.',
  scope: 'transactions:write',
  params: idPath('apr'),
  body: ApprovalNote,
  errors: settling,
  handle: async (ctx) => {
    const { actor, body, params, livemode } = ctx
    const settlement = { id: params.id, actor, note: body.note ?? null }
    const withdrawn = await ctx.deps.commands.withdraw(ctx.request, settlement)
    return updated(withdrawn, (row) => approvalObject(row, livemode))
  },
})

export const approvals = [
  listApprovals,
  retrieveApproval,
  approveApproval,
  declineApproval,
  withdrawApproval,
]
