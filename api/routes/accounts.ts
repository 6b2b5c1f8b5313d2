import { z } from 'zod'
import { missing, notFound } from '../../app/refusals.ts'
import { findAccountView } from '../../db/account-view.ts'
import { listAccounts as readAccounts } from '../../db/accounts.ts'
import { findProgram } from '../../db/programs.ts'
import { ACCOUNT_STATUSES } from '../../domain/account.ts'
import { newId } from '../../domain/ids.ts'
import {
  Account,
  AccountUpdate,
  NewAccount,
  presentAccount,
  presentAccounts,
  presentView,
} from '../schemas/accounts.ts'
import { customerId, id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { metadata } from '../schemas/text.ts'
import { endpoint } from '../server/endpoint.ts'
import { created, updated } from '../server/replies.ts'

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
    'idempotency_key_reused',
    'idempotency_key_in_use',
  ],
  handle: async (ctx) => {
    const { params, body, deps } = ctx
    const changed = await deps.commands.updateAccount(ctx.request, params.id, body)
    return updated(changed, (row) => presentAccount(deps, ctx, row))
  },
})
