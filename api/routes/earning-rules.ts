import { z } from 'zod'
import { missing, notFound } from '../../app/refusals.ts'
import {
  type EarningRuleChange,
  type EarningRuleRow,
  findEarningRule,
  listEarningRules as readRules,
} from '../../db/earning-rules.ts'
import { findProgram } from '../../db/programs.ts'
import { EARNING_TRIGGERS, earningRuleObject } from '../../domain/earning-rule.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { EarningRule, EarningRuleUpdate, NewEarningRule } from '../schemas/earning-rules.ts'
import { id, idPath } from '../schemas/ids.ts'
import { flag, listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { mergedMetadata } from '../schemas/text.ts'
import { refuseReversed } from '../schemas/times.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

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
    const values = { ...same, startsAt, endsAt, workspace, id: newId('erl') }
    const made = await deps.commands.createEarningRule(ctx.request, values)
    return created(made, (row) => earningRuleObject(row, livemode))
  },
})

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
    const changed = await deps.commands.updateEarningRule(ctx.request, params.id, (before) =>
      changeOf(before, body),
    )
    return updated(changed, (row) => earningRuleObject(row, livemode))
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
