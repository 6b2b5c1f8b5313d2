import { afterAll, beforeAll, expect, test } from 'vitest'
import { resignal } from '../../app/resignal.ts'
import { onCommit } from '../../db/outbox.ts'
import { type House, openHouse } from '../support/house.ts'
import { ended, redeem, redemptionOf } from '../support/redeem.ts'

let house: House
beforeAll(async () => {
  house = await openHouse({ worker: false })
  onCommit(house.pool, () => {}) // Temporal was lost with all its runs
})
afterAll(() => house.close())

const running = async () => {
  const found: Record<string, number> = {}
  const query = `TaskQueue = '${house.engine.taskQueue}' AND ExecutionStatus = 'Running'`
  for await (const { type } of house.engine.client.workflow.list({ query })) {
    found[type] = (found[type] ?? 0) + 1
  }
  return found
}

test('on an empty Temporal the run of everything that waits is rebuilt from the database, and settles', async () => {
  const { workspace, owner } = house
  const soon = await redeem(house, { holdMs: 3_000, start: false })
  const later = await redeem(house, { start: false })
  // of each other kind one that waits
  await owner.query(
    `insert into payment (workspace, id, provider, status, amount, amount_charged, currency, expires_at, created_at)
     values ($1, 'pay_waits', 'sandbox', 'requires_payment', 100, 100, 'EUR', now() + interval '1 day', now())`,
    [workspace],
  )
  await owner.query(
    `update account set expiry_wake_at = now() + interval '30 days', tier_review_at = now() + interval '30 days'
     where workspace = $1 and id = 'loy_9f2k'`,
    [workspace],
  )
  await owner.query(
    `insert into tier_reassessment (workspace, program, progressed_at) values ($1, 'prog_default', now())`,
    [workspace],
  )
  await owner.query(
    `insert into webhook_endpoint (workspace, id, url, secret, enabled_events, created_at)
     values ($1, 'we_1', 'http://127.0.0.1:9', 'whsec_', '{*}', now())`,
    [workspace],
  )
  await owner.query(
    `insert into webhook_delivery (workspace, id, endpoint, event, next_attempt_at, created_at)
     values ($1, 'dlv_1', 'we_1', 'evt_1', now(), now())`,
    [workspace],
  )
  await owner.query(
    `insert into bulk (workspace, id, kind, batch, total, fingerprint, created_at, progressed_at)
     values ($1, 'imp_1', 'import', 'batch', 0, '', now(), now())`,
    [workspace],
  )
  const progress: string[] = []
  const done = await resignal({
    pool: owner,
    engine: house.engine,
    onProgress: (kind, sent) => progress.push(`${kind} ${sent}`),
  })
  expect(done).toMatchObject({
    redemptions: { sent: 2, refused: 0 },
    payments: { sent: 1 },
    tier_reviews: { sent: 1 },
    bulks: { sent: 1 },
    reassessments: { sent: 1 },
    endpoints: { sent: 1 },
  })
  expect(done.expiries?.sent).toBeGreaterThanOrEqual(1)
  expect(progress).toContain('redemptions 2')
  await expect.poll(running).toEqual({
    redemption: 2,
    payment: 1,
    accountExpiry: done.expiries?.sent,
    tierReview: 1,
    bulkRun: 1,
    tierReassessment: 1,
    webhook: 1,
  })

  await house.startWorker()
  expect(await ended(house, soon.redemption)).toMatchObject({ status: 'released' })
  expect(await redemptionOf(house, soon.redemption)).toMatchObject({ reason: 'expired' })
  const { status } = await house.engine.client.workflow.getHandle(later.redemption).describe()
  expect(status.name).toBe('RUNNING')
})

test('on a Temporal that has every run it changes nothing', async () => {
  const { redemption } = await redeem(house, { start: false })
  await resignal({ pool: house.owner, engine: house.engine })
  const before = await redemptionOf(house, redemption)
  const { runId } = await house.engine.client.workflow.getHandle(redemption).describe()
  await resignal({ pool: house.owner, engine: house.engine })
  expect(await redemptionOf(house, redemption)).toEqual(before)
  expect((await house.engine.client.workflow.getHandle(redemption).describe()).runId).toBe(runId)
})

test('what Temporal refuses is counted and passed over', async () => {
  const refused: string[] = []
  const engine = {
    taskQueue: house.engine.taskQueue,
    client: new Proxy(house.engine.client, {
      get(client, name) {
        if (name !== 'workflow') return Reflect.get(client, name, client)
        return {
          signalWithStart: () => Promise.reject(Object.assign(new Error('too large'), { code: 3 })),
        }
      },
    }),
  }
  const done = await resignal({
    pool: house.owner,
    engine,
    onRefused: ({ workflow_id }) => refused.push(workflow_id),
  })
  expect(done.redemptions?.sent).toBe(0)
  expect(done.redemptions?.refused).toBeGreaterThan(0)
  expect(refused.length).toBeGreaterThan(0)
})
