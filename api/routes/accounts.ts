import { z } from 'zod'
import { missing, notFound } from '../../app/refusals.ts'
import {
  findAccount,
  findAccountView,
  listAccounts as readAccounts,
  readBalanceAt,
} from '../../db/accounts.ts'
import { readEndOf } from '../../db/clock.ts'
import { findProgram } from '../../db/programs.ts'
import { ACCOUNT_STATUSES } from '../../domain/account.ts'
import { newId } from '../../domain/ids.ts'
import { pointsOf } from '../../domain/points.ts'
import {
  Account,
  AccountMerge,
  AccountUpdate,
  NewAccount,
  presentAccount,
  presentAccounts,
  presentView,
} from '../schemas/accounts.ts'
import { points } from '../schemas/amounts.ts'
import { customerId, id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { metadata } from '../schemas/text.ts'
import { reportTime, time } from '../schemas/times.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

export const createAccount = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts',
  summary: 'Enrol a member',
  description:
    'A customer has one active account in a program, their own or the one that theirs was merged into: it is the `resource` of the refusal.',
  tags: ['accounts'],
  key: 'secret',
  body: NewAccount,
  reply: Account,
  successCodes: [201, 200],
  errors: [
    'account_already_exists',
    'resource_missing',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { workspace, body, deps } = ctx
    const program = await findProgram(deps.pool, workspace, body.program)
    if (program === undefined) missing('program', body.program)

    const values = {
      workspace,
      id: newId('loy'),
      program: body.program,
      customer: body.customer ?? null,
      metadata: body.metadata,
    }
    const made = await deps.commands.createAccount(ctx.request, values)
    return created(made, (row) => presentAccount(deps, ctx, row))
  },
})

const path = '/v1/loyalty/accounts'

export const listAccounts = endpoint({
  method: 'GET',
  path,
  summary: 'List members',
  description:
    'Active ones first. Merged accounts are listed only where asked for by status; a customer whose account was merged is found as its survivor. `metadata[key]=value` finds those that carry all the pairs.',
  tags: ['accounts'],
  key: 'secret',
  query: listQuery('loy', {
    program: id('prog').optional(),
    customer: customerId.optional(),
    status: z.enum(ACCOUNT_STATUSES).optional(),
    metadata: metadata.optional().meta({ param: { style: 'deepObject', explode: true } }),
  }),
  reply: listReply(Account),
  errors: [],
  handle: async (ctx) => {
    const { workspace, query, deps } = ctx
    const { program, customer, status, metadata } = query
    const filter = { program, customer, status, metadata }
    const { rows, hasMore } = await readAccounts(deps.pool, workspace, filter, pageOf(query))
    return { status: 'ok', object: listOf(path, await presentAccounts(deps, ctx, rows), hasMore) }
  },
})

export const retrieveAccount = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}',
  summary: 'Retrieve a member',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  reply: Account,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const view = await findAccountView(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (view === undefined) return notFound('account', ctx.params.id)
    return { status: 'ok', object: await presentView(ctx.deps, ctx, view) }
  },
})

export const updateAccount = endpoint({
  method: 'PATCH',
  path: '/v1/loyalty/accounts/{id}',
  summary: 'Update a member',
  description: 'Links a customer, or sets metadata by key. Fields not named stay.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  body: AccountUpdate,
  reply: Account,
  errors: [
    'resource_missing',
    'account_already_exists',
    'account_merged',
    'account_closed',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, body, deps } = ctx
    const changed = await deps.commands.updateAccount(ctx.request, params.id, body)
    return updated(changed, (row) => presentAccount(deps, ctx, row))
  },
})

export const closeAccount = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/close',
  summary: 'Close a member',
  description:
    'The history stays. A closed account neither earns nor spends; a redemption still pending ends by its payment, its cancel or its deadline, and points still expire.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  body: z.strictObject({}),
  reply: Account,
  errors: [
    'resource_missing',
    'account_merged',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, deps } = ctx
    const changed = await deps.commands.closeAccount(ctx.request, params.id)
    return updated(changed, (row) => presentAccount(deps, ctx, row))
  },
})

export const reopenAccount = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/{id}/reopen',
  summary: 'Reopen a closed member',
  description:
    'Refused where the customer has another active account in the program, and where the member was erased.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  body: z.strictObject({}),
  reply: Account,
  errors: [
    'resource_missing',
    'account_already_exists',
    'account_merged',
    'account_closed',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, deps } = ctx
    const changed = await deps.commands.reopenAccount(ctx.request, params.id)
    return updated(changed, (row) => presentAccount(deps, ctx, row))
  },
})

export const mergeAccounts = endpoint({
  method: 'POST',
  path: '/v1/loyalty/accounts/merge',
  summary: 'Merge two members for good',
  description:
    'Balance, points with their dates, lifetime points and redemptions of `source` go to `target`, which is answered. ' +
    'What names the source later reaches the target. Repeating it changes nothing.',
  tags: ['accounts'],
  key: 'secret',
  body: AccountMerge,
  reply: Account,
  errors: [
    'resource_missing',
    'account_merged',
    'account_closed',
    'redemptions_in_flight',
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { source, target } = ctx.body
    const merged = await ctx.deps.commands.mergeAccounts(ctx.request, source, target)
    return updated(merged, (row) => presentAccount(ctx.deps, ctx, row))
  },
})

const BalanceAt = z
  .object({ account: id('loy'), balance: points, at: time })
  .meta({ id: 'BalanceAt', description: 'What the account had at an instant.' })

export const balanceAt = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/balance_at',
  summary: "A member's balance at an instant",
  description:
    'By the time of each movement; points due by then count as expired, written off or not.',
  tags: ['accounts'],
  key: 'secret',
  params: idPath('loy'),
  query: z.strictObject({ at: reportTime }),
  reply: BalanceAt,
  errors: ['resource_missing', 'parameter_missing'],
  handle: async ({ workspace, params, query, deps }) => {
    const row = await findAccount(deps.pool, workspace, params.id)
    const at = await readEndOf({ pool: deps.pool, workspace, account: params.id }, query.at)
    const balance = await readBalanceAt(deps.pool, workspace, params.id, at)
    if (row === undefined || balance === null) return notFound('account', params.id)
    const decimals = await deps.decimals.ofProgram(workspace, row.program)
    const object = {
      account: row.id,
      balance: pointsOf(balance, decimals),
      at: at.toISOString(),
    }
    return { status: 'ok', object }
  },
})
