import { expect } from 'vitest'
import type { Book } from './book.ts'

const REWARDS = '/v1/loyalty/rewards'
const POOLS = '/v1/loyalty/code_pools'
const CREDIT = '/v1/loyalty/store_credit_transactions'

/** A reward with sizes, gift cards from a pool, and store credit. */
export async function catalogue(book: Book): Promise<void> {
  const { ask } = book
  const shirt = await ask(`POST ${REWARDS}`, 'A shirt in two sizes', {
    body: {
      name: 'Club shirt',
      type: 'free_product',
      cost: 90,
      value: { product: 'Club shirt' },
      variants: [
        { id: 'm-red', attributes: { size: 'M', colour: 'red' }, inventory: 20 },
        { id: 'xl-red', attributes: { size: 'XL', colour: 'red' }, inventory: 0 },
      ],
      categories: ['clothes'],
      per_member_limit: { quantity: 1, window: 'month' },
    },
  })
  const path = { id: shirt.id }
  await ask(`POST ${REWARDS}/{id}/archive`, 'The season is over', { path })
  await ask(`POST ${REWARDS}/{id}/unarchive`, 'And begins again', { path })

  const pool = await ask(`POST ${POOLS}`, 'A pool of cinema cards', {
    body: { name: 'Cinema cards', low_at: 50 },
  })
  await ask(`POST ${POOLS}/{id}/codes`, 'Two codes, one of them twice', {
    path: { id: pool.id },
    body: { codes: ['CINE-0001', 'CINE-0002', 'CINE-0001'] },
  })
  await ask(`GET ${POOLS}/{id}`, 'How many are left', { path: { id: pool.id } })
  await ask(`GET ${POOLS}`, 'The newest', { query: { limit: 1 } })

  const card = await ask(`POST ${REWARDS}`, 'A gift card of the pool', {
    body: {
      name: 'Cinema card',
      type: 'gift_card',
      cost: 10,
      value: { amount: 1000, currency: 'EUR' },
      codes: { pool: pool.id },
    },
  })
  await ask('POST /v1/loyalty/redemptions', 'The last card but one', {
    body: { account: 'loy_9f2k', reward: card.id },
  })
  await attention(book, pool.id)

  const credit = await ask(`POST ${REWARDS}`, 'Store credit for a year', {
    body: {
      name: 'EUR 10 store credit',
      type: 'store_credit',
      cost: 100,
      value: { amount: 1000, currency: 'EUR', expiresDays: 365 },
    },
  })
  const account = 'loy_9f2k'
  await ask('POST /v1/loyalty/redemptions', 'Points become store credit', {
    body: { account, reward: credit.id },
  })
  await ask('POST /v1/payments', 'EUR 4 of store credit spent', {
    body: {
      amount: 2999,
      currency: 'EUR',
      store_credit: { account, amount: 400 },
      card: '4242424242424242',
    },
  })
  await ask('GET /v1/loyalty/accounts/{id}/store_credit', 'What is left', { path: { id: account } })
  const moves = await ask(`GET ${CREDIT}`, 'How it came and went', { query: { account } })
  await ask(`GET ${CREDIT}/{id}`, 'One movement', { path: { id: moves.data[0].id } })
  await ask('GET /v1/loyalty/programs/{id}/store_credit_liability', 'What is owed', {
    path: { id: 'prog_default' },
  })
}

/** The pool runs low: somebody has to buy codes. */
async function attention({ ask }: Book, pool: string): Promise<void> {
  const ATTENTION = '/v1/attention'
  const { data } = await ask(`GET ${ATTENTION}`, 'What needs a person', {
    query: { kind: 'code_pool_low', limit: 1 },
  })
  expect(data[0].object_id).toBe(pool)
  const path = { id: data[0].id }
  await ask(`POST ${ATTENTION}/{id}/snooze`, 'On Monday', {
    path,
    body: {
      until: new Date(Date.now() + 3 * 86_400_000).toISOString(),
      reason: 'The cinema sends new codes on Monday.',
    },
  })
  await ask(`GET ${ATTENTION}/{id}`, 'Snoozed', { path })
  await ask(`POST ${ATTENTION}/{id}/resolve`, 'By a person’s word', {
    path,
    body: { reason: 'The reward ends with these codes.' },
  })
}
