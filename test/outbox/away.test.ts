import { connect, createServer, type Server } from 'node:net'
import { Registry } from 'prom-client'
import request from 'supertest'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { productApp } from '../../api/server/product.ts'
import { freePort } from '../../dev/ports.ts'
import { createLog } from '../../process/log.ts'
import { type AfterCommit, sendAfterCommits } from '../../temporal/after-commit.ts'
import { connectInBackground } from '../../temporal/connect.ts'
import { storedRows } from '../ledger/outbox/scripted.ts'
import { type House, openHouse } from '../support/house.ts'

let house: House
let port: number
let engine: ReturnType<typeof connectInBackground>
let sender: AfterCommit
let front: Server | undefined
let tries = 0

beforeAll(async () => {
  house = await openHouse({ worker: false })
  port = await freePort()
  engine = connectInBackground(
    {
      address: `127.0.0.1:${port}`,
      namespace: 'default',
      taskQueue: house.engine.taskQueue,
    },
    () => tries++,
  )
  sender = sendAfterCommits({ pool: house.pool, engine, onFailure: () => {} })
})
afterAll(async () => {
  await sender.close()
  await engine.close()
  front?.close()
  await house.close()
})

/** Temporal comes up at the address at which nothing was. */
async function temporalComesUp(): Promise<void> {
  const [host, realPort] = inject('temporalAddress').split(':')
  front = createServer((socket) => {
    const real = connect({ host: host ?? '', port: Number(realPort) })
    for (const end of [socket, real]) end.on('error', () => socket.destroy())
    socket.pipe(real).pipe(socket)
  })
  await new Promise<void>((resolve) => front?.listen(port, '127.0.0.1', resolve))
}

test('an API that starts while Temporal is away serves, says that it is degraded, and sends what was committed once Temporal is up', async () => {
  const app = productApp({
    pool: house.pool,
    engine,
    holdMinutes: 30,
    log: createLog({ level: 'silent', name: 'api' }),
    registry: new Registry(),
    version: '0.0.0',
  })
  const { status, body } = await request(app)
    .post('/v1/loyalty/redemptions')
    .set('X-Api-Key', house.keys.secretKey)
    .send({ account: 'loy_8sd2k1', reward: 'rwd_fivecredit' })
  expect([status, body.status]).toEqual([201, 'pending'])

  const away = await request(app).get('/health/ready')
  expect([away.status, away.body.status]).toEqual([200, 'degraded'])
  expect(away.body.checks).toMatchObject({
    postgres: { status: 'ok' },
    temporal: { status: 'failed' },
    outbox: { status: 'ok', waiting: 1 },
  })
  const { text } = await request(app).get('/metrics')
  expect(text).toContain('vinr_outbox_waiting 1')
  expect(text).toMatch(/vinr_outbox_oldest_seconds 0\.\d*[1-9]|vinr_outbox_oldest_seconds [1-9]/)

  await house.owner.query(`update workflow_outbox set written_at = now() - interval '2 minutes'`)
  const late = await request(app).get('/health/ready')
  expect(late.body.checks.outbox).toMatchObject({ status: 'failed', waiting: 1 })
  expect(late.body.checks.outbox.oldest_seconds).toBeGreaterThanOrEqual(120)

  await expect.poll(() => tries).toBeGreaterThan(0)
  await temporalComesUp()
  await expect.poll(async () => storedRows(house.owner, house.workspace)).toEqual([])
  const run = await house.engine.client.workflow.getHandle(body.id).describe()
  expect(run.status.name).toBe('RUNNING')
  expect((await request(app).get('/health/ready')).body.status).toBe('ok')
})
