import { listReactors as readReactors } from '../../db/reactors.ts'
import { listOf, listQuery, listReply, pageOf } from '../list.ts'
import { eventTypeName } from '../objects/event-type.ts'
import { Reactor, reactorObject } from '../objects/reactor.ts'
import { endpoint } from '../server/endpoint.ts'
import { flag } from '../values/flag.ts'

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
