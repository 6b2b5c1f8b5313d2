import { findEarningRule } from '../../db/earning-rules.ts'
import { findProgram } from '../../db/programs.ts'
import { newId } from '../../domain/ids.ts'
import { earningRuleObject } from '../../domain/objects/earning-rule.ts'
import { write } from '../contention.ts'
import { missing, notFound } from '../points-refusal.ts'
import { EarningRule, NewEarningRule } from '../schemas/earning-rules.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

export const createEarningRule = endpoint({
  method: 'POST',
  path: '/v1/loyalty/earning_rules',
  summary: 'Add an earning rule',
  description:
    'From then on, everything that its trigger names earns. Several rules that match one payment write a transaction each.',
  tags: ['earning rules'],
  key: 'secret',
  body: NewEarningRule,
  reply: EarningRule,
  successCodes: [201, 200],
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, livemode, body, deps } = ctx
    const { starts_at: startsAt, ends_at: endsAt, ...same } = body
    const program = await findProgram(deps.pool, workspace, body.program)
    if (program === undefined) return missing('program', body.program)
    const request = identityOf('POST /v1/loyalty/earning_rules', ctx)
    const values = { ...same, startsAt, endsAt, workspace, id: newId('erl') }
    const created = await write(() => deps.commands.createEarningRule(request, values))
    if ('row' in created) {
      return { status: 'created', object: earningRuleObject(created.row, livemode) }
    }
    const row = await findEarningRule(deps.pool, workspace, created.replayOf)
    if (row === undefined) return notFound('earning rule', created.replayOf)
    return { status: 'ok', replayed: true, object: earningRuleObject(row, livemode) }
  },
})
