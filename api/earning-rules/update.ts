import type { z } from 'zod'
import type { EarningRuleChange, EarningRuleRow } from '../../db/earning-rules.ts'
import { earningRuleObject } from '../../domain/objects/earning-rule.ts'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { notFound } from '../points-refusal.ts'
import { EarningRule, EarningRuleUpdate } from '../schemas/earning-rules.ts'
import { idPath } from '../schemas/ids.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { refuseReversed } from '../schemas/times.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'

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
    const { livemode, params, body, deps } = ctx
    const request = identityOf('PATCH /v1/loyalty/earning_rules/{id}', ctx)
    const { value: row, replayed } = await write(() =>
      deps.commands.updateEarningRule(request, params.id, (before) => changeOf(before, body)),
    )
    if (row === undefined) return notFound('earning rule', params.id)
    return { status: 'ok', replayed, object: earningRuleObject(row, livemode) }
  },
})

/** The columns that change; undefined leaves one as it is. */
function changeOf(
  before: EarningRuleRow,
  body: z.output<typeof EarningRuleUpdate>,
): EarningRuleChange {
  const { starts_at: startsAt, ends_at: endsAt, conditions, metadata, ...same } = body
  refuseReversed('rule', before, { startsAt, endsAt })
  if (before.trigger === 'loyalty.account.created' && same.award && !('fixed' in same.award)) {
    const message = 'award: nothing is charged by this trigger; only a fixed award fits.'
    refuse('parameter_invalid', message, { param: 'award' })
  }
  return {
    ...same,
    startsAt,
    endsAt,
    conditions: conditions && { ...before.conditions, ...conditions },
    metadata: metadata && mergedMetadata(before.metadata, metadata),
  }
}
