import { readWallets } from '../../db/store-credit.ts'
import { notFound } from '../points-refusal.ts'
import { idPath } from '../schemas/ids.ts'
import { StoreCredit } from '../schemas/store-credit.ts'
import { endpoint } from '../server/endpoint.ts'

export const retrieveStoreCredit = endpoint({
  method: 'GET',
  path: '/v1/loyalty/accounts/{id}/store_credit',
  summary: "A member's store credit",
  description: 'By currency. What is past its date counts as expired, written off or not.',
  tags: ['store credit'],
  key: 'secret',
  params: idPath('loy'),
  reply: StoreCredit,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const found = await readWallets(deps.pool, workspace, params.id)
    if (found === null) return notFound('account', params.id)
    const wallets = found.wallets.map(({ expiring, ...wallet }) => ({
      ...wallet,
      expiring: expiring.map((credit) => ({
        ...credit,
        expires_at: new Date(credit.expires_at).toISOString(),
      })),
    }))
    const object = { object: 'store_credit_wallet' as const, account: found.account, wallets }
    return { status: 'ok', object: { ...object, livemode } }
  },
})
