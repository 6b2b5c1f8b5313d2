import { z } from 'zod'
import { listAccounts as readAccounts } from '../../db/accounts.ts'
import { ACCOUNT_STATUSES, Account, presentAccounts } from '../schemas/accounts.ts'
import { customerId, id } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { metadata } from '../schemas/text.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/loyalty/accounts'

export const listAccounts = endpoint({
  method: 'GET',
  path,
  summary: 'List members',
  description:
    'Active ones first. Merged accounts are listed only where asked for by status; a customer whose account was merged is found as its survivor. `metadata[key]=value` finds those that carry all the pairs.',
  tags: ['accounts'],
  key: 'secret',
  query: listQuery('loy', {
    program: id('prog').optional(),
    customer: customerId.optional(),
    status: z.enum(ACCOUNT_STATUSES).optional(),
    metadata: metadata.optional().meta({ param: { style: 'deepObject', explode: true } }),
  }),
  reply: listReply(Account),
  errors: [],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const { program, customer, status, metadata } = query
    const filter = { program, customer, status, metadata }
    const { rows, hasMore } = await readAccounts(deps.pool, workspace, filter, pageOf(query))
    return { status: 'ok', object: listOf(path, await presentAccounts(deps, ctx, rows), hasMore) }
  },
})
