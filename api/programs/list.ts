import { readPrograms } from '../../db/programs.ts'
import { programObject } from '../../domain/objects/program.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { Program } from '../schemas/programs.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/loyalty/programs'

export const listPrograms = endpoint({
  method: 'GET',
  path,
  summary: 'List programs',
  tags: ['programs'],
  key: 'secret',
  query: listQuery('prog', {}),
  reply: listReply(Program),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await readPrograms(deps.pool, workspace, pageOf(query))
    const data = rows.map((row) => programObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})
