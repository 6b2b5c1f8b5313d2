import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'

// A thousand requests, their delayed runs and their giving back, on whatever is left of the machine.
const LONG_MS = 240_000

let shop: Shop
let server: Server
let origin: string
let members: string[]

beforeAll(async () => {
  shop = await openShop()
  server = createServer(shop.app).listen({ port: 0, host: '127.0.0.1', backlog: 2_048 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server's address is one
  origin = `http://127.0.0.1:${port}`
  members = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const { body } = await shop.post('/v1/loyalty/accounts', {})
      const account: string = body.id
      await shop.post('/v1/loyalty/transactions', { account, amount: 10_000, reason: 'test' })
      return account
    }),
  )
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

type Answer = {
  status: number
  body: { id: string; error?: { code: string }; gift_cards?: { code: string }[] }
}

async function redeem(n: number, reward: string): Promise<Answer> {
  const response = await fetch(`${origin}/v1/loyalty/redemptions`, {
    method: 'POST',
    headers: {
      'X-Api-Key': shop.keys.secretKey,
      'Content-Type': 'application/json',
      'Idempotency-Key': newId('op'),
    },
    body: JSON.stringify({ account: members[n % members.length], reward }),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] } // our own API's
}

async function reward(more: object): Promise<string> {
  const { body } = await shop.post('/v1/loyalty/rewards', { name: 'Rare', cost: 1, ...more })
  return body.id
}

const outcomes = (answers: Answer[]) => {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const outcome = `${status} ${body.error?.code ?? ''}`.trim()
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

test(
  'of 1,000 redemptions at once of a reward of which there are 100, exactly 100 succeed and 900 are told why not',
  async () => {
    const rare = await reward({
      type: 'discount_amount',
      value: { amount: 500, currency: 'EUR' },
      inventory: 100,
    })
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => redeem(n, rare)))
    expect(outcomes(answers)).toEqual({ '201': 100, '422 reward_out_of_stock': 900 })
    expect((await shop.get(`/v1/loyalty/rewards/${rare}`)).body.inventory).toBe(0)
    const { rows } = await shop.owner.query(
      `select count(*)::int as redeemed, count(distinct transaction)::int as debits from redemption where reward = $1`,
      [rare],
    )
    expect(rows).toEqual([{ redeemed: 100, debits: 100 }])

    // what is given back, by many at once and twice each, is there to be had again, and no more
    const created = answers.filter(({ status }) => status === 201).slice(0, 10)
    await Promise.all(
      [...created, ...created].map(({ body }) =>
        shop.post(`/v1/loyalty/redemptions/${body.id}/cancel`),
      ),
    )
    expect((await shop.get(`/v1/loyalty/rewards/${rare}`)).body.inventory).toBe(10)
    const again = await Promise.all(Array.from({ length: 20 }, (_, n) => redeem(n, rare)))
    expect(outcomes(again)).toEqual({ '201': 10, '422 reward_out_of_stock': 10 })
  },
  LONG_MS,
)

test('a variant of which there are 20 is given to 20 of 100', async () => {
  const shirt = await reward({
    type: 'free_product',
    value: { product: 'Shirt' },
    variants: [{ id: 'm', inventory: 20 }, { id: 'l' }],
  })
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      shop.post('/v1/loyalty/redemptions', {
        account: members[n % members.length],
        reward: shirt,
        variant: 'm',
      }),
    ),
  )
  expect(outcomes(answers)).toEqual({ '201': 20, '422 reward_out_of_stock': 80 })
})

test(
  '32 clients empty a pool of 400 codes: each code once, and then it is out of stock',
  async () => {
    const pool = await shop.post('/v1/loyalty/code_pools', { name: 'Cards' })
    const codes = Array.from({ length: 400 }, (_, n) => `CODE-${n.toString().padStart(6, '0')}`)
    await shop.post(`/v1/loyalty/code_pools/${pool.body.id}/codes`, { codes })
    const card = await reward({
      type: 'gift_card',
      value: { amount: 1_000, currency: 'EUR' },
      codes: { pool: pool.body.id },
    })
    let next = 0
    const answers: Answer[] = []
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        while (next < 432) answers.push(await redeem(next++, card))
      }),
    )
    expect(outcomes(answers)).toEqual({ '201': 400, '422 reward_out_of_stock': 32 })
    const given = answers.flatMap(({ body }) => body.gift_cards?.map(({ code }) => code) ?? [])
    expect(given.sort()).toEqual(codes)
  },
  LONG_MS,
)

test('a code whose redemption fails half way is nobody’s, and the next one gets it', async () => {
  const pool = await shop.post('/v1/loyalty/code_pools', { name: 'One' })
  await shop.post(`/v1/loyalty/code_pools/${pool.body.id}/codes`, { codes: ['ONLY-ONE'] })
  const card = await reward({
    type: 'gift_card',
    value: { amount: 1_000, currency: 'EUR' },
    codes: { pool: pool.body.id },
  })
  const [first = '', second = ''] = members
  const holder = await shop.owner.connect()
  try {
    // a redemption that has taken the code and then dies with its transaction
    await holder.query('begin')
    const take = `select ledger_private.codes_from_pool($1, $2, 'rdm_dies', 1, now()) as taken`
    const { rows } = await holder.query(take, [shop.workspace, pool.body.id])
    expect(rows[0].taken).toHaveLength(1)
    const waiting = [first, second].map((account) =>
      shop.post('/v1/loyalty/redemptions', { account, reward: card }).then((answer) => answer),
    )
    const blocked = async () => {
      const { rows: locks } = await shop.owner.query(
        `select count(distinct l.pid)::int as n from pg_locks l join pg_stat_activity a using (pid)
          where not l.granted and a.datname = current_database()`,
      )
      return locks[0].n
    }
    await expect.poll(blocked, { timeout: 20_000, interval: 20 }).toBe(2)
    await holder.query('rollback')
    const answers = await Promise.all(waiting)
    expect(outcomes(answers)).toEqual({ '201': 1, '422 reward_out_of_stock': 1 })
  } finally {
    holder.release()
  }
})
