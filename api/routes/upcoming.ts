import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { findAccount } from '../../db/accounts.ts'
import { readUpcoming } from '../../db/upcoming.ts'
import { UPCOMING_KINDS } from '../../domain/upcoming.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listReply, pageQuery } from '../schemas/lists.ts'
import { presentUpcoming, Upcoming, upcomingId, upcomingKey } from '../schemas/upcoming.ts'
import { endpoint } from '../server/endpoint.ts'

const query = pageQuery(upcomingId, { type: z.enum(UPCOMING_KINDS).optional() })
const placeIn = (asked: z.output<typeof query>) => ({
  limit: asked.limit,
  startingAfter: upcomingKey(asked.starting_after),
  endingBefore: upcomingKey(asked.ending_before),
})

const listUpcoming = endpoint({
  method: 'GET',
  path: '/v1/upcoming',
  summary: 'List what will happen by itself',
  description:
    'Soonest first: releases of held points, expiries, points that mature, tier reviews, deadlines of fulfilment, expiries of open payments, and deliveries to webhook endpoints.',
  tags: ['accounts'],
  key: 'secret',
  query,
  reply: listReply(Upcoming),
  errors: [],
  handle: async (ctx) => {
    const filter = { kind: ctx.query.type }
    const place = placeIn(ctx.query)
    const { rows, hasMore } = await readUpcoming(ctx.deps.pool, ctx.workspace, filter, place)
    const data = await presentUpcoming(ctx.deps, ctx, rows)
    return { status: 'ok', object: listOf('/v1/upcoming', data, hasMore) }
  },
})

const listUpcomingOfAccount = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/upcoming',
  summary: 'List what will happen to a member by itself',
  description:
    'Soonest first; each date on which points expire, and the warning before it, by itself.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  query,
  reply: listReply(Upcoming),
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const { workspace, params, deps } = ctx
    const account = await findAccount(deps.pool, workspace, params.id)
    if (account === undefined) return notFound('account', params.id)
    const filter = { account: account.id, kind: ctx.query.type }
    const { rows, hasMore } = await readUpcoming(deps.pool, workspace, filter, placeIn(ctx.query))
    const data = await presentUpcoming(deps, ctx, rows, account.id)
    const url = `/v1/loyalty/accounts/${account.id}/upcoming`
    return { status: 'ok', object: listOf(url, data, hasMore) }
  },
})

export const upcoming = [listUpcomingOfAccount, listUpcoming]
