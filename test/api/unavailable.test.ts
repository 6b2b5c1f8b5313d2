import { createHmac } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { Registry } from 'prom-client'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { productApp } from '../../api/server/product.ts'
import { createPool } from '../../db/pool.ts'
import { freePort } from '../../dev/ports.ts'
import { newId } from '../../domain/ids.ts'
import { createLog } from '../../process/log.ts'
import { type House, openHouse } from '../support/house.ts'
import { redeem } from '../support/redeem.ts'

let house: House
let unreachable: Connection
beforeAll(async () => {
  house = await openHouse({ worker: false })
  unreachable = Connection.lazy({ address: `127.0.0.1:${await freePort()}` })
})
afterAll(async () => {
  await unreachable.close()
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
describe('without Temporal', () => {
  const app = () =>
    over({
      pool: house.reads, // whose commits nobody sends
      engine: {
        client: new Client({ connection: unreachable }),
        taskQueue: 'q',
      } as House['engine'],
    })
  const post = (path: string, body: object) =>
    request(app()).post(path).set('X-Api-Key', house.keys.secretKey).send(body)

  it('a redemption is created, extended, canceled, and what its run must be signalled waits in the outbox', async () => {
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

  it('a member whose welcome waits is enrolled, and the outbox keeps the start of its run', async () => {
    await house.owner.query(
      `insert into earning_rule (workspace, id, program, trigger, award, pending_days, created_at)
       values ($1, 'erl_welcome', 'prog_default', 'loyalty.account.created', '{"fixed": 100}', 1, '2020-01-01')`,
      [house.workspace],
    )
    const { body } = await post('/v1/loyalty/accounts', { program: 'prog_default' })
    expect(await waitingFor(body.id)).toMatchObject([{ change: 'changed', waits: true }])
  })

  const card = { ok: '4242424242424242', declined: '4000000000000002' }
  const waitingFor = async (subject: string) =>
    (
      await house.owner.query(
        'select change, start_at > now() as waits from workflow_outbox where workflow_id = $1',
        [`${house.workspace}/${subject}`],
      )
    ).rows

  it('an open payment is created, and the outbox keeps the start of the run that expires it', async () => {
    const { status, body } = await post('/v1/payments', { amount: 2_999, currency: 'EUR' })
    expect([status, body.status]).toEqual([201, 'requires_payment'])
    expect(await waitingFor(body.id)).toEqual([{ change: 'new', waits: true }])
    const canceled = await post(`/v1/payments/${body.id}/cancel`, {})
    expect([canceled.status, canceled.body.status]).toEqual([200, 'canceled'])
    expect(await waitingFor(body.id)).toEqual([{ change: 'ended', waits: null }])
  })

  it('a payment that ends applies or releases its redemptions, and a refund returns them', async () => {
    const statusOf = async (id: string) =>
      (await house.owner.query('select status from redemption where id = $1', [id])).rows[0].status
    const pay = async (with_: string) => {
      const { redemption } = await redeem(house, { start: false })
      const { status, body } = await post('/v1/payments', {
        amount: 2_999,
        currency: 'EUR',
        card: with_,
        redemptions: [redemption],
      })
      expect(status).toBe(201)
      return { redemption, payment: body.id as string }
    }
    expect(await statusOf((await pay(card.declined)).redemption)).toBe('released')
    const { redemption, payment } = await pay(card.ok)
    expect(await statusOf(redemption)).toBe('applied')
    const refund = await post('/v1/refunds', { payment, return_redemption: true })
    expect([refund.status, await statusOf(redemption)]).toEqual([201, 'reversed'])
  })

  it('a webhook is answered 200, and all that follows is done', async () => {
    const { redemption } = await redeem(house, { start: false })
    const payment = newId('pay')
    const event = {
      id: newId('evt'),
      type: 'payment.completed',
      created: Math.floor(Date.now() / 1_000),
      data: {
        id: payment,
        amount: 2_999,
        amount_charged: 2_499,
        currency: 'eur',
        redemptions: [redemption],
      },
    }
    const body = JSON.stringify(event)
    const signed = `${event.created}.${body}`
    const digest = createHmac('sha256', house.keys.paymentSecret).update(signed).digest('hex')
    const answer = await request(app())
      .post('/v1/webhooks/payments/sandbox')
      .set('content-type', 'application/json')
      .set('x-vinr-signature', `t=${event.created},v1=${digest}`)
      .send(body)
    expect([answer.status, answer.body.duplicate]).toEqual([200, false])
    const { rows } = await house.owner.query(
      `select d.status, (select bool_and(processed_at is not null) from inbox where payment = $2) as processed
       from redemption d where id = $1`,
      [redemption, payment],
    )
    expect(rows).toEqual([{ status: 'applied', processed: true }])
  })

  it('is ready, and says that it is degraded', async () => {
    const { status, body } = await request(app()).get('/health/ready')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'degraded',
      checks: {
        postgres: { status: 'ok' },
        migrations: { status: 'ok' },
        temporal: { status: 'failed' },
      },
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
