import { findEarningRule } from '../../db/earning-rules.ts'
import { earningRuleObject } from '../../domain/objects/earning-rule.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { endpoint } from '../endpoint.ts'
import { EarningRule, EarningRuleUpdate } from '../objects/earning-rule.ts'
import { notFound } from '../points-refusal.ts'
import { identityOf } from '../request-identity.ts'
import { idPath } from '../values/id.ts'
import { mergedMetadata } from '../values/metadata.ts'

export const updateEarningRule = endpoint({
  method: 'PATCH',
  path: '/v1/loyalty/earning_rules/{id}',
  summary: 'Update an earning rule',
  description:
    'Applies to what is earned from then on; what was earned keeps the rule as it was. `award` is replaced as a whole, inside `conditions` and `metadata` fields not named stay.',
  tags: ['earning rules'],
  key: 'secret',
  params: idPath('erl'),
  body: EarningRuleUpdate,
  reply: EarningRule,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, livemode, params, body, deps } = ctx
    const before = await findEarningRule(deps.pool, workspace, params.id)
    if (before === undefined) return notFound('earning rule', params.id)
    const { starts_at, ends_at, conditions, metadata, ...same } = body
    const startsAt = starts_at === undefined ? before.startsAt : starts_at
    const endsAt = ends_at === undefined ? before.endsAt : ends_at
    if (startsAt !== null && endsAt !== null && startsAt >= endsAt) {
      const param = ends_at === undefined ? 'starts_at' : 'ends_at'
      refuse('parameter_invalid', `${param}: the rule would end before it starts.`, { param })
    }
    if (before.trigger === 'loyalty.account.created' && same.award && !('fixed' in same.award)) {
      const message = 'award: nothing is charged by this trigger; only a fixed award fits.'
      refuse('parameter_invalid', message, { param: 'award' })
    }
    const change = {
      ...same,
      startsAt,
      endsAt,
      conditions: conditions && { ...before.conditions, ...conditions },
      metadata: metadata && mergedMetadata(before.metadata, metadata),
    }
    const request = identityOf('PATCH /v1/loyalty/earning_rules/{id}', ctx)
    const changed = await write(() => deps.activities.updateEarningRule(request, params.id, change))
    const row =
      changed && 'row' in changed
        ? changed.row
        : await findEarningRule(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('earning rule', params.id)
    const replayed = changed !== undefined && 'replayOf' in changed
    return { status: 'ok', replayed, object: earningRuleObject(row, livemode) }
  },
})
