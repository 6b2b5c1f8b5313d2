import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { findAttention, listAttention as readAttention } from '../../db/attention.ts'
import { ATTENTION_KINDS, ATTENTION_STATUSES } from '../../domain/attention.ts'
import {
  AttentionItem,
  AttentionResolution,
  AttentionSnooze,
  presentAttention,
} from '../schemas/attention.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listReply, pageOf, pageQuery } from '../schemas/lists.ts'
import { updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/attention'

const listAttention = endpoint({
  method: 'GET',
  path,
  summary: 'List what needs a person',
  description: `Each with its object, since when, and the routes that settle it. The last to come first; one that was
snoozed comes back at the end of its snooze. What lasts is settled by itself once it is over.`,
  tags: ['attention'],
  key: 'secret',
  query: pageQuery('att', {
    status: z.enum(ATTENTION_STATUSES).default('open'),
    kind: z.enum(ATTENTION_KINDS).optional(),
  }),
  reply: listReply(AttentionItem),
  errors: [],
  handle: async (ctx) => {
    const { status, kind } = ctx.query
    const page = pageOf(ctx.query)
    const found = await readAttention(ctx.deps.pool, ctx.workspace, { status, kind }, page)
    const data = found.rows.map((row) => presentAttention(row, ctx.livemode))
    return { status: 'ok', object: listOf(path, data, found.hasMore) }
  },
})

const retrieveAttention = endpoint({
  method: 'GET',
  path: '/v1/attention/{id}',
  summary: 'Retrieve something that needs a person',
  tags: ['attention'],
  key: 'secret',
  params: idPath('att'),
  reply: AttentionItem,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findAttention(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('attention item', ctx.params.id)
    return { status: 'ok', object: presentAttention(row, ctx.livemode) }
  },
})

const snoozeAttention = endpoint({
  method: 'POST',
  path: '/v1/attention/{id}/snooze',
  summary: 'Show it again later',
  description: 'It is open again at `until`, or at once where it ends and then begins anew.',
  tags: ['attention'],
  key: 'secret',
  params: idPath('att'),
  body: AttentionSnooze,
  reply: AttentionItem,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { actor, body, params } = ctx
    const decision = { id: params.id, reason: body.reason, actor }
    const snoozed = await ctx.deps.commands.snoozeAttention(ctx.request, body.until, decision)
    return updated(snoozed, (row) => presentAttention(row, ctx.livemode))
  },
})

const resolveAttention = endpoint({
  method: 'POST',
  path: '/v1/attention/{id}/resolve',
  summary: 'Settle it by a person’s word',
  description:
    'For what no other route settles. What lasts all the same is open again when it is next noticed.',
  tags: ['attention'],
  key: 'secret',
  params: idPath('att'),
  body: AttentionResolution,
  reply: AttentionItem,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const decision = { id: ctx.params.id, reason: ctx.body.reason, actor: ctx.actor }
    const resolved = await ctx.deps.commands.resolveAttention(ctx.request, decision)
    return updated(resolved, (row) => presentAttention(row, ctx.livemode))
  },
})

export const attention = [listAttention, retrieveAttention, snoozeAttention, resolveAttention]
