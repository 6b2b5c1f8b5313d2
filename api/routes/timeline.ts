import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { findAccount } from '../../db/accounts.ts'
import { readTimeline } from '../../db/timeline.ts'
import { TIMELINE_KINDS } from '../../domain/timeline.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listReply, pageQuery } from '../schemas/lists.ts'
import {
  presentTimeline,
  TimelineEntry,
  timelineEntryId,
  timelineKey,
} from '../schemas/timeline.ts'
import { endpoint } from '../server/endpoint.ts'

export const listTimeline = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/timeline',
  summary: 'List what happened to a member',
  description:
    'Transactions, redemptions, tier changes, identities and merges as one list, newest first, those of what was merged into the account included. `type` chooses one kind.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  query: pageQuery(timelineEntryId, { type: z.enum(TIMELINE_KINDS).optional() }),
  reply: listReply(TimelineEntry),
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const { workspace, params, query, deps } = ctx
    const account = await findAccount(deps.pool, workspace, params.id)
    if (account === undefined) return notFound('account', params.id)
    const { rows, hasMore } = await readTimeline(deps.pool, workspace, account.id, query.type, {
      limit: query.limit,
      startingAfter: timelineKey(query.starting_after),
      endingBefore: timelineKey(query.ending_before),
    })
    const data = await presentTimeline(deps, ctx, account, rows)
    const url = `/v1/loyalty/accounts/${account.id}/timeline`
    return { status: 'ok', object: listOf(url, data, hasMore) }
  },
})
