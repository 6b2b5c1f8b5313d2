import { findEarningRule } from '../../db/earning-rules.ts'
import { earningRuleObject } from '../../domain/objects/earning-rule.ts'
import { notFound } from '../points-refusal.ts'
import { EarningRule } from '../schemas/earning-rules.ts'
import { idPath } from '../schemas/ids.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveEarningRule = endpoint({
  method: 'GET',
  path: '/v1/loyalty/earning_rules/{id}',
  summary: 'Retrieve an earning rule',
  tags: ['earning rules'],
  key: 'secret',
  params: idPath('erl'),
  reply: EarningRule,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findEarningRule(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('earning rule', params.id)
    return { status: 'ok', object: earningRuleObject(row, livemode) }
  },
})
