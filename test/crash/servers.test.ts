import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Processes } from '../support/processes.ts'
import { everyWaitingRowHasItsRun, runOf } from './waiting.ts'

let all: Processes
let connection: Connection
let client: Client

beforeAll(async () => {
  all = await Processes.start()
  connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  client = new Client({ connection })
})
afterEach(async () => {
  expect(await all.reconcile()).toEqual([])
})
afterAll(async () => {
  await connection.close()
  await all.stop()
})

const settled = (id: unknown) =>
  expect.poll(async () => (await all.redemptions()).find((row) => row.id === id)?.status, {
    timeout: 40_000,
  })

const pay = (redemption: unknown) =>
  all.request('POST', '/v1/payments', {
    amount: 2999,
    currency: 'EUR',
    card: '4242424242424242',
    redemptions: [redemption],
  })

const balance = async (): Promise<number> =>
  (await all.owner.query("select balance from account where id = 'loy_8sd2k1'")).rows[0].balance

const WITHIN = { timeout: 30_000 }

/** Ends whatever waits for a lock, and whatever waited behind it; returns how many there were. */
async function endWaiting(): Promise<number> {
  const { rows } = await all.owner.query('select distinct pid from pg_locks where not granted')
  for (const { pid } of rows) await all.terminate(pid)
  return rows.length
}

/** How a redemption stands, how often it was said to be released, and the points that came back for it. */
const releasesOf = async (id: string) =>
  (
    await all.owner.query(
      `select status, (select count(*)::int from event
         where object = r.id and type = 'loyalty.redemption.released') as events,
       (select coalesce(sum(amount), 0)::int from ptx
         where redemption = r.id and type = 'release') as points
       from redemption r where id = $1`,
      [id],
    )
  ).rows[0]

test('Temporal is down: redemptions are created, paid and canceled all the same, and what waits has its run when it is back', async () => {
  await all.kill('temporal')
  const answers = await Promise.all(
    ['paid', 'canceled', 'waiting'].map((what) => all.redeem(`temporal-down-${what}`)),
  )
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
  const [paid, canceled, waiting] = answers.map(({ body }) => String(body.id))
  expect(await pay(paid)).toMatchObject({ status: 201 })
  const path = `/v1/loyalty/redemptions/${canceled}/cancel`
  expect((await all.request('POST', path, {})).body.status).toBe('released')
  await settled(paid).toBe('applied')
  await all.startTemporal()
  await everyWaitingRowHasItsRun(all, client)
  expect(await runOf(client, waiting ?? '')).toBe('RUNNING')
  for (const id of [paid, canceled]) {
    await expect.poll(() => runOf(client, id ?? ''), { timeout: 60_000 }).toBe('COMPLETED')
  }
}, 150_000)

test.for(['before it is written', 'after it is written, before it is reported'])(
  'the worker dies amid the release that a cancel in Temporal asked for, %s: the points return once, and the run ends',
  { timeout: 180_000 },
  async (when) => {
    const before = await balance()
    const { body } = await all.redeem(`worker-dies ${when}`)
    const id = String(body.id)
    expect(await balance()).toBe(before - 500)
    await expect.poll(() => runOf(client, id), { timeout: 60_000 }).toBe('RUNNING')
    const holder = await all.owner.connect()
    await holder.query('begin')
    await holder.query('select from redemption where id = $1 for update', [id])

    await client.workflow.getHandle(id).cancel()
    await expect.poll(() => all.waitingForRow(), WITHIN).not.toHaveLength(0)
    await all.kill('worker')
    if (when === 'before it is written') await expect.poll(endWaiting, WITHIN).toBe(0)
    await holder.query('rollback')
    holder.release()
    if (when === 'before it is written') {
      expect(await releasesOf(id)).toEqual({ status: 'pending', events: 0, points: 0 })
    } else await settled(id).toBe('released')

    await all.startWorker()
    await expect.poll(() => runOf(client, id), { timeout: 90_000 }).toBe('COMPLETED')
    expect(await client.workflow.getHandle(id).result()).toMatchObject({ status: 'released' })
    expect(await releasesOf(id)).toEqual({ status: 'released', events: 1, points: 500 })
    expect(await balance()).toBe(before)
  },
)

test.for(['postgres', 'temporal'] as const)(
  '%s is killed under load: every key ends in exactly one redemption with its run, and the books hold',
  async (victim) => {
    const before = (await all.redemptions()).length
    const keys = Array.from({ length: 60 }, (_, index) => `${victim}-${index}`)
    await all.owner.query(
      `insert into account (workspace, id, program) select $1, 'loy_load_' || $2 || n, 'prog_default' from generate_series(0, 59) n`,
      [all.workspace, victim],
    )
    for (let n = 0; n < keys.length; n++) {
      await all.request('POST', '/v1/loyalty/transactions', {
        account: `loy_load_${victim}${n}`,
        amount: 500,
        reason: 'test',
      })
    }
    const queue = keys.entries()
    let done = 0
    const clients = Array.from({ length: 8 }, async () => {
      for (const [index, key] of queue) {
        expect(
          (await all.redeemUntilAnswered(key, `loy_load_${victim}${index}`)).status,
        ).toBeLessThan(300)
        done++
      }
    })
    await expect.poll(() => done, { timeout: 30_000 }).toBeGreaterThan(15)
    await all.kill(victim)
    await (victim === 'postgres' ? all.startPostgres() : all.startTemporal())
    await Promise.all(clients)
    expect((await all.redemptions()).length - before).toBe(keys.length)
    const answers = await Promise.all(
      keys.map((key, index) => all.redeem(key, `loy_load_${victim}${index}`)),
    )
    expect(answers.filter(({ replayed }) => replayed)).toHaveLength(keys.length)
    await everyWaitingRowHasItsRun(all, client)
    const cancelled = await Promise.all(
      answers.map(({ body }) =>
        all.request('POST', `/v1/loyalty/redemptions/${body.id}/cancel`, {}),
      ),
    )
    expect(cancelled.map(({ body }) => body.status)).toEqual(keys.map(() => 'released'))
  },
)
