import { afterAll, beforeAll, expect, test } from 'vitest'
import { findMissingRuns } from '../../app/missing-runs.ts'
import { connectEngine } from '../../temporal/connect.ts'
import { Processes } from '../support/processes.ts'

// The long version of test/crash: `npm run test:long`, some minutes. Rounds are read from the environment.
const ROUNDS = Number(process.env.TORTURE_ROUNDS ?? 6)
const CLIENTS = 8
const VICTIMS = ['api', 'worker', 'postgres', 'temporal'] as const

let all: Processes

beforeAll(async () => {
  all = await Processes.start()
})
afterAll(() => all.stop())

const restart = {
  api: () => all.startApi(),
  worker: () => all.startWorker(),
  postgres: () => all.startPostgres(),
  temporal: () => all.startTemporal(),
}

test(`${ROUNDS} kills of random processes under load: every redemption ends once, and the books hold`, async () => {
  await all.owner.query(
    `insert into account (workspace, id, program)
     select $1, 'loy_torture' || n, 'prog_default' from generate_series(0, 49) n`,
    [all.workspace],
  )
  for (let n = 0; n < 50; n++) {
    const credit = { account: `loy_torture${n}`, amount: 50_000, reason: 'torture' }
    await all.request('POST', '/v1/loyalty/transactions', credit)
  }
  let stop = false
  let made = 0
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let n = 0; !stop; n++) {
      const account = `loy_torture${(client * 7 + n) % 50}`
      const { status, body } = await all.redeemUntilAnswered(`torture-${client}-${n}`, account)
      if (status >= 300) continue
      made++
      const payment = { amount: 2_999, currency: 'EUR', card: '4242424242424242' }
      await all
        .request('POST', '/v1/payments', { ...payment, redemptions: [body.id] }, `pay-${body.id}`)
        .catch(() => undefined) // unknown outcome: the reconciler or the deadline ends it
    }
  })
  for (let round = 0; round < ROUNDS; round++) {
    const before = made
    await expect.poll(() => made, { timeout: 60_000 }).toBeGreaterThan(before + 20)
    const victim = VICTIMS[Math.floor(Math.random() * VICTIMS.length)] ?? 'api'
    await all.kill(victim)
    await restart[victim]()
  }
  stop = true
  await Promise.all(clients)
  // attached to a completed payment: applied, however its message got through (the reconciler comes after two minutes)
  await expect
    .poll(
      async () =>
        (
          await all.owner.query(
            `select count(*)::int as n from redemption d join payment p on p.id = d.payment
             where d.status = 'pending' and p.status = 'completed'`,
          )
        ).rows[0].n,
      { timeout: 240_000, interval: 1_000 },
    )
    .toBe(0)
  expect(await all.reconcile()).toEqual([])
  const engine = await connectEngine({
    address: `127.0.0.1:${all.ports.temporal}`,
    namespace: 'default',
    taskQueue: 'engagement',
  })
  try {
    // what is in the outbox is on its way
    await expect
      .poll(() => findMissingRuns(all.owner, engine), { timeout: 60_000, interval: 1_000 })
      .toEqual([])
  } finally {
    await engine.close()
  }
})
