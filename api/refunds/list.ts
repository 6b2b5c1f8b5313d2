import { listRefunds as readRefunds } from '../../db/refunds.ts'
import { refundObject } from '../../domain/objects/refund.ts'
import { id, refundId } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { Refund } from '../schemas/refunds.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/refunds'

export const listRefunds = endpoint({
  method: 'GET',
  path,
  summary: 'List refunds',
  description: 'Disputes, which take points back as refunds do, are among them.',
  tags: ['payments'],
  key: 'secret',
  query: listQuery(refundId, { payment: id('pay').optional() }),
  reply: listReply(Refund),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const filter = { payment: query.payment }
    const { rows, hasMore } = await readRefunds(deps.pool, workspace, filter, pageOf(query))
    const data = rows.map((row) => refundObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})
