import { findAccount } from '../../db/accounts.ts'
import { listIdentities as readIdentities } from '../../db/identities.ts'
import { notFound } from '../points-refusal.ts'
import { Identity, presentIdentity } from '../schemas/identities.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { endpoint } from '../server/endpoint.ts'

export const listIdentities = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/identities',
  summary: 'List how a member is recognised',
  description: 'Revoked ones too, and those of members merged into this one.',
  tags: ['tills'],
  key: 'secret',
  params: idPath('loy'),
  query: listQuery('idn', {}),
  reply: listReply(Identity),
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, query, deps }) => {
    const account = await findAccount(deps.pool, workspace, params.id)
    if (account === undefined) return notFound('account', params.id)
    const page = await readIdentities(deps.pool, workspace, params.id, pageOf(query, params.id))
    const data = page.rows.map((row) => presentIdentity(row, livemode))
    const url = `/v1/loyalty/accounts/${params.id}/identities`
    return { status: 'ok', object: listOf(url, data, page.hasMore) }
  },
})
