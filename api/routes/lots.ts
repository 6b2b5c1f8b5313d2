import { notFound } from '../../app/refusals.ts'
import { findAccount } from '../../db/accounts.ts'
import { listAllocations as readAllocations, listLots as readLots } from '../../db/lots.ts'
import { findTransaction } from '../../db/transactions.ts'
import { idPath } from '../schemas/ids.ts'
import { flag, listOf, listReply, pageQuery } from '../schemas/lists.ts'
import {
  Allocation,
  allocationId,
  allocationKey,
  Lot,
  presentAllocations,
  presentLot,
} from '../schemas/lots.ts'
import { endpoint } from '../server/endpoint.ts'

const listLots = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/lots',
  summary: 'List what a member’s credits brought, and what is left of each',
  description:
    'Newest first, what was merged into the account included. `open=true` shows only those that something is left of.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  query: pageQuery('ptx', { open: flag.optional() }),
  reply: listReply(Lot),
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, query, deps }) => {
    const { id } = params
    const account = await findAccount(deps.pool, workspace, id)
    if (account === undefined) return notFound('account', id)
    const { limit, starting_after: startingAfter, ending_before: endingBefore, open } = query
    const page = { limit, startingAfter, endingBefore }
    const { rows, hasMore } = await readLots(deps.pool, workspace, id, { open }, page)
    const decimals = await deps.decimals.ofProgram(workspace, account.program)
    const data = rows.map((row) => presentLot(row, { decimals, livemode }))
    return { status: 'ok', object: listOf(`/v1/loyalty/accounts/${id}/lots`, data, hasMore) }
  },
})

const listAllocations = endpoint({
  method: 'GET',
  path: '/v1/loyalty/transactions/{id}/allocations',
  summary: 'List which points a transaction spent, brought or gave back',
  description:
    'Of a debit, the lots that it took from; of a credit, the debits that took from its lot; of a release or reversal, what it gave back.',
  tags: ['transactions'],
  key: 'secret',
  params: idPath('ptx'),
  query: pageQuery(allocationId, {}),
  reply: listReply(Allocation),
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const { workspace, params, query, deps } = ctx
    const { id } = params
    if ((await findTransaction(deps.pool, workspace, id)) === undefined) {
      return notFound('transaction', id)
    }
    const { rows, hasMore } = await readAllocations(deps.pool, workspace, id, {
      limit: query.limit,
      startingAfter: allocationKey(query.starting_after),
      endingBefore: allocationKey(query.ending_before),
    })
    const data = await presentAllocations(deps, ctx, rows)
    const url = `/v1/loyalty/transactions/${id}/allocations`
    return { status: 'ok', object: listOf(url, data, hasMore) }
  },
})

export const lots = [listLots, listAllocations]
