import { listReactors as readReactors } from '../../db/reactors.ts'
import { eventTypeName } from '../schemas/event-types.ts'
import { flag, listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { Reactor, reactorObject } from '../schemas/reactors.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/reactors'

export const listReactors = endpoint({
  method: 'GET',
  path,
  summary: 'List reactors',
  tags: ['tills'],
  key: 'secret',
  query: listQuery('rct', { trigger: eventTypeName.optional(), active: flag.optional() }),
  reply: listReply(Reactor),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { trigger, active } = query
    const { rows, hasMore } = await readReactors(
      deps.pool,
      workspace,
      { trigger, active },
      pageOf(query),
    )
    const data = rows.map((row) => reactorObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})
