import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import {
  findCreditTransaction,
  listCreditTransactions,
  readWallets,
} from '../../db/store-credit.ts'
import { CREDIT_TYPES, creditTransactionObject } from '../../domain/store-credit.ts'
import { currencyUpper } from '../schemas/amounts.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { StoreCredit, StoreCreditTransaction } from '../schemas/wallets.ts'
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

const path = '/v1/loyalty/store_credit_transactions'

export const listStoreCreditTransactions = endpoint({
  method: 'GET',
  path,
  summary: 'List movements of store credit',
  tags: ['store credit'],
  key: 'secret',
  query: listQuery('ctx', {
    account: id('loy').optional(),
    currency: currencyUpper.optional(),
    type: z.enum(CREDIT_TYPES).optional(),
    payment: id('pay').optional(),
    redemption: id('rdm').optional(),
  }),
  reply: listReply(StoreCreditTransaction),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { account, currency, type, payment, redemption } = query
    const filter = { account, currency, type, payment, redemption }
    const page = pageOf(query)
    const { rows, hasMore } = await listCreditTransactions(deps.pool, workspace, filter, page)
    const data = rows.map((row) => creditTransactionObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

export const retrieveStoreCreditTransaction = endpoint({
  method: 'GET',
  path: `${path}/{id}`,
  summary: 'Retrieve a movement of store credit',
  tags: ['store credit'],
  key: 'secret',
  params: idPath('ctx'),
  reply: StoreCreditTransaction,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await findCreditTransaction(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('movement of store credit', params.id)
    return { status: 'ok', object: creditTransactionObject(row, livemode) }
  },
})
