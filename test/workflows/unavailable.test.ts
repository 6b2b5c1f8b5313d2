import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findPayment } from '../../db/payments.ts'
import type { Pool } from '../../db/pool.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import { attach } from '../support/attach.ts'
import type { House } from '../support/house.ts'
import { redeem, redemptionOf } from '../support/redeem.ts'
import { openSkippingHouse } from '../support/skipping-house.ts'
import { eventsOf } from './stand-ins.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

let env: TestWorkflowEnvironment
let house: House
let awayUntilMs = 0
let refused = 0

/** Refuses what is asked of it for as long as the database is away, by the server's time. */
function leaving(pool: Pool, skipping: TestWorkflowEnvironment): Pool {
  return new Proxy(pool, {
    get(target, name) {
      const value = Reflect.get(target, name, target)
      if (name !== 'query' && name !== 'connect') return value
      return async (...args: unknown[]) => {
        if ((await skipping.currentTimeMs()) < awayUntilMs) {
          refused++
          throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
        }
        return Reflect.apply(value, target, args)
      }
    },
  })
}

beforeAll(async () => {
  ;({ house, env } = await openSkippingHouse({
    workerPool: leaving,
  }))
})
afterAll(async () => {
  const broken = await house.reconcile()
  await house.close()
  expect(broken).toEqual([])
})

test('a database that is away for three days ends no run, and leaves a history of a few events', async () => {
  const nowMs = await env.currentTimeMs()
  const input = await redeem(house, { start: false, holdMs: 30 * MINUTE_MS })
  const { redemption } = await redeem(house, { start: false, holdMs: 4 * DAY_MS })
  const payment = await attach(house, redemption, 'requires_payment')
  const expiresAt = new Date(nowMs + DAY_MS).toISOString()
  await house.owner.query('update payment set expires_at = $2 where id = $1', [payment, expiresAt])
  awayUntilMs = nowMs + 3 * DAY_MS

  const start = async (type: string, id: string, args: object) => {
    await env.client.workflow.start(type, {
      workflowId: id,
      taskQueue: 'engagement',
      args: [args],
      workflowIdConflictPolicy: 'USE_EXISTING', // the outbox has begun the payment's
    })
    return id
  }
  const held = await start(WORKFLOW.redemption, input.redemption, {
    ...input,
    facts: {
      status: 'pending',
      payment: null,
      reason: null,
      expiresAt: input.releasesAt,
      late: null,
    },
    revision: 1,
  })
  const open = await start(WORKFLOW.payment, `${house.workspace}/${payment}`, {
    workspace: house.workspace,
    payment,
    expiresAt,
    facts: { status: 'requires_payment', expiresAt, maturesAt: null, unfinished: false },
    revision: 1,
  })

  expect(await env.client.workflow.getHandle(held).result()).toMatchObject({ status: 'released' })
  expect(await env.client.workflow.getHandle(open).result()).toMatchObject({ status: 'expired' })
  expect(await env.currentTimeMs()).toBeGreaterThanOrEqual(awayUntilMs)
  expect(refused).toBeGreaterThan(100)
  expect(await redemptionOf(house, input.redemption)).toMatchObject({ reason: 'expired' })
  expect(await findPayment(house.pool, house.workspace, payment)).toMatchObject({
    status: 'expired',
  })
  expect((await eventsOf(house.engine, held)).length).toBeLessThan(30)
  expect((await eventsOf(house.engine, open)).length).toBeLessThan(30)
})
