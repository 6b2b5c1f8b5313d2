import { z } from 'zod'
import { listEarningRules as readRules } from '../../db/earning-rules.ts'
import { earningRuleObject } from '../../domain/objects/earning-rule.ts'
import { EARNING_TRIGGERS, EarningRule } from '../schemas/earning-rules.ts'
import { id } from '../schemas/ids.ts'
import { flag, listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/loyalty/earning_rules'

export const listEarningRules = endpoint({
  method: 'GET',
  path,
  summary: 'List earning rules',
  tags: ['earning rules'],
  key: 'secret',
  query: listQuery('erl', {
    program: id('prog').optional(),
    trigger: z.enum(EARNING_TRIGGERS).optional(),
    active: flag.optional(),
  }),
  reply: listReply(EarningRule),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { program, trigger, active } = query
    const filter = { program, trigger, active }
    const { rows, hasMore } = await readRules(deps.pool, workspace, filter, pageOf(query))
    const data = rows.map((row) => earningRuleObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})
