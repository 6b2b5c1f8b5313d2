import { Client, Connection } from '@temporalio/client'
import { Registry } from 'prom-client'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../api/log.ts'
import { productApp } from '../../api/product.ts'
import { createPool } from '../../db/pool.ts'
import { freePort } from '../../dev/ports.ts'
import { type House, openHouse } from '../support/house.ts'

let house: House
let deaf: Connection
beforeAll(async () => {
  house = await openHouse({ worker: false })
  deaf = Connection.lazy({ address: `127.0.0.1:${await freePort()}` })
})
afterAll(async () => {
  await deaf.close()
  await house.close()
})

const over = (parts: Partial<Pick<House, 'pool' | 'engine'>>) =>
  productApp(
    {
      pool: house.pool,
      engine: house.engine,
      ...parts,
      holdMinutes: 30,
      log: createLog({ level: 'silent', name: 'api' }),
      registry: new Registry(),
      version: '0.0.0',
    },
    { verifyReplies: true },
  )
const countOf = async (table: string) => {
  const { rows } = await house.owner.query(`select count(*)::int as n from ${table}`)
  return rows[0].n as number
}

describe('without Temporal', () => {
  const app = () =>
    over({
      pool: house.reads, // whose commits nobody sends
      engine: { client: new Client({ connection: deaf }), taskQueue: 'q' } as House['engine'],
    })
  const post = (path: string, body: object) =>
    request(app()).post(path).set('X-Api-Key', house.keys.secretKey).send(body)

  it('a redemption is created, extended, canceled, and what its run must be told waits in the outbox', async () => {
    const redemptions = '/v1/loyalty/redemptions'
    const { status, body } = await post(redemptions, {
      account: 'loy_9f2k',
      reward: 'rwd_fivecredit',
    })
    expect([status, body.status]).toEqual([201, 'pending'])
    const extended = await post(`${redemptions}/${body.id}/extend`, { minutes: 5 })
    expect(extended.status).toBe(200)
    const canceled = await post(`${redemptions}/${body.id}/cancel`, {})
    expect([canceled.status, canceled.body.status]).toEqual([200, 'released'])
    const { rows } = await house.owner.query(
      'select change from workflow_outbox where workflow_id = $1',
      [body.id],
    )
    expect(rows).toEqual([{ change: 'ended' }])
  })

  it.concurrent.each([['/v1/payments', { amount: 2_999, currency: 'EUR' }, 'payment']])(
    '%s is 503, says that nothing was written, and nothing was',
    async (path, body, table) => {
      const before = [await countOf(table), await countOf('ptx')]
      const { status, body: answer, headers } = await post(path, body)
      expect([status, answer.error.code]).toEqual([503, 'temporarily_unavailable'])
      expect(answer.error.message).toContain('Nothing was written')
      expect(headers['retry-after']).toBe('1')
      expect([await countOf(table), await countOf('ptx')]).toEqual(before)
    },
  )

  it('still answers refusals, reads and quotes', async () => {
    const poor = { account: 'loy_9f2k', reward: 'rwd_fivecredit', quantity: 100 }
    expect((await post('/v1/loyalty/redemptions', poor)).body.error.code).toBe(
      'insufficient_points',
    )
    expect((await post('/v1/loyalty/quotes', poor)).status).toBe(200)
  })

  // A call to Temporal has a deadline of 10 s: whoever waited for one would be late.
  const promptly = async (
    method: 'post' | 'patch',
    path: string,
    body: object,
    workflow: string | null,
    count = 1,
  ) => {
    const began = performance.now()
    const asked = request(app())
    const sent = method === 'post' ? asked.post(path) : asked.patch(path)
    const answer = await sent.set('X-Api-Key', house.keys.secretKey).send(body)
    expect(answer.body.error).toBeUndefined()
    expect(performance.now() - began).toBeLessThan(5_000) // a second, on a busy machine
    const { rows } = await house.owner.query(
      'select count(*)::int as n from workflow_outbox where workflow_type = $1',
      [workflow],
    )
    expect(rows).toEqual([{ n: workflow === null ? 0 : count }])
  }
  const expires_at = '2030-01-01T00:00:00Z'

  it('a credit that expires is answered at once, and the run that it begins waits in the outbox', () =>
    promptly(
      'post',
      '/v1/loyalty/transactions',
      { account: 'loy_9f2k', amount: 5, reason: 'x', expires_at },
      'accountExpiry',
    ))

  it('a batch of credits that expire likewise', async () => {
    await house.owner.query(
      `insert into account (workspace, id, program)
       select $1, 'loy_batch' || n, 'prog_default' from generate_series(1, 300) n`,
      [house.workspace],
    )
    const transactions = Array.from({ length: 300 }, (_, n) => ({
      account: `loy_batch${n + 1}`,
      amount: 5,
      reason: 'x',
      expires_at,
    }))
    await promptly('post', '/v1/loyalty/transactions/batch', { transactions }, 'accountExpiry', 301)
  })

  it('a change of tiers likewise', () =>
    promptly(
      'patch',
      '/v1/loyalty/programs/prog_default',
      {
        tierConfig: {
          qualifyOn: 'points',
          period: { type: 'lifetime' },
          tiers: [{ name: 'All', rank: 0, threshold: 0 }],
        },
      },
      'tierReassessment',
    ))

  it('a member whose welcome waits likewise', async () => {
    await house.owner.query(
      `insert into earning_rule (workspace, id, program, trigger, award, pending_days, created_at)
       values ($1, 'erl_welcome', 'prog_default', 'loyalty.account.created', '{"fixed": 100}', 1, '2020-01-01')`,
      [house.workspace],
    )
    await promptly('post', '/v1/loyalty/accounts', { program: 'prog_default' }, null)
  })

  it('is not ready, and says what is missing', async () => {
    const { status, body } = await request(app()).get('/health/ready')
    expect(status).toBe(503)
    expect(body.checks).toMatchObject({
      postgres: { status: 'ok' },
      migrations: { status: 'ok' },
      temporal: { status: 'failed' },
    })
  })
})

describe('without Postgres', () => {
  it('every route is 503, and the process is alive but not ready', async () => {
    const pool = createPool({ url: `postgres://nobody@127.0.0.1:${await freePort()}/none` })
    const app = over({ pool })
    const answer = await request(app)
      .get('/v1/loyalty/rewards')
      .set('X-Api-Key', house.keys.secretKey)
    expect([answer.status, answer.body.error.code]).toEqual([503, 'temporarily_unavailable'])
    const ready = await request(app).get('/health/ready')
    expect([ready.status, ready.body.checks.postgres.reason]).toEqual([503, 'ECONNREFUSED'])
    expect((await request(app).get('/health/live')).status).toBe(200)
    await pool.end()
  })
})
