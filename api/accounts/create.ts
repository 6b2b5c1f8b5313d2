import { findProgram } from '../../db/programs.ts'
import { newId } from '../../domain/ids.ts'
import { write } from '../contention.ts'
import { missing } from '../points-refusal.ts'
import { Account, NewAccount } from '../schemas/accounts.ts'
import { endpoint } from '../server/endpoint.ts'
import { identityOf } from '../server/idempotency.ts'
import { presentChanged } from './changed.ts'

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

    const request = identityOf('POST /v1/loyalty/accounts', ctx)
    const values = {
      workspace,
      id: newId('loy'),
      program: body.program,
      customer: body.customer ?? null,
      metadata: body.metadata,
    }
    const created = await write(() => deps.commands.createAccount(request, values))
    return { ...(await presentChanged(ctx, values.id, created)), status: 'created' }
  },
})
