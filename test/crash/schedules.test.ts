import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  EXPIRY_BATCH_SCHEDULE_ID,
  LEDGER_TOTALS_SCHEDULE_ID,
  LIABILITY_SNAPSHOT_SCHEDULE_ID,
} from '../../temporal/names.ts'
import { Processes } from '../support/processes.ts'

let all: Processes
let connection: Connection
let client: Client

beforeAll(async () => {
  all = await Processes.start()
  connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  client = new Client({ connection })
})
afterAll(async () => {
  const broken = await all.reconcile()
  await connection.close()
  await all.stop()
  expect(broken).toEqual([])
})

/** Triggers the schedule as an operator does in the Temporal UI; resolves with what its run answered. */
async function triggered(scheduleId: string): Promise<Record<string, number>> {
  const schedule = client.schedule.getHandle(scheduleId)
  const takenBefore = (await schedule.describe()).info.numActionsTaken
  await schedule.trigger('ALLOW_ALL')
  const taken = async () => (await schedule.describe()).info.numActionsTaken
  await expect.poll(taken, { timeout: 30_000 }).toBeGreaterThan(takenBefore)
  const { action } = (await schedule.describe()).info.recentActions.at(-1) ?? {}
  if (action?.type !== 'startWorkflow') throw new Error(`${scheduleId} started nothing`)
  const { workflowId, firstExecutionRunId } = action.workflow
  return await client.workflow.getHandle(workflowId, firstExecutionRunId).result()
}

const events = async (type: string) =>
  (await all.owner.query('select object, data from event where type = $1 order by id', [type])).rows

const post = async (path: string, body: object) => {
  const answer = await all.request('POST', path, body)
  expect(answer.body.error).toBeUndefined()
  return answer.body
}

/** A member whose points came due at the last midnight, and whose run knows nothing of it. */
async function memberDueAtMidnight(points: number): Promise<string> {
  const { id } = await post('/v1/loyalty/accounts', { program: 'prog_default' })
  await post('/v1/loyalty/transactions', { account: id, amount: points, reason: 'x' })
  await all.owner.query(`update lot set expires_at = date_trunc('day', now()) where account = $1`, [
    id,
  ])
  await all.owner.query(
    `update account set lots_due_from = date_trunc('day', now()), expiry_wake_at = date_trunc('day', now())
     where id = $1`,
    [id],
  )
  return String(id)
}

test('the worker’s metrics are on the address that HOST names, and on no other', async () => {
  const metrics = (host: string) => fetch(`http://${host}:${all.ports.workerMetrics}/metrics`)
  expect((await metrics('127.0.0.1')).status).toBe(200)
  await expect(metrics('127.0.0.2')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
})

test('the worker made the schedules of expiry, totals and snapshots, and made again they stay as they are', async () => {
  const ids = [EXPIRY_BATCH_SCHEDULE_ID, LEDGER_TOTALS_SCHEDULE_ID, LIABILITY_SNAPSHOT_SCHEDULE_ID]
  const madeAt = async () =>
    await Promise.all(
      ids.map(async (id) => {
        const { createdAt, lastUpdatedAt } = (await client.schedule.getHandle(id).describe()).info
        return [createdAt, lastUpdatedAt]
      }),
    )
  const first = await madeAt()
  await all.kill('worker')
  await all.startWorker()
  expect(await madeAt()).toEqual(first)
})

test('the schedule of expiry writes off what a midnight brought, with its events', async () => {
  const members = [await memberDueAtMidnight(30), await memberDueAtMidnight(12)]
  await triggered(EXPIRY_BATCH_SCHEDULE_ID) // its own minute may have come first
  const { rows } = await all.owner.query(
    `select t.account, t.amount, t.at = date_trunc('day', now()) as at_midnight, e.type
     from ptx t join event e on e.workspace = t.workspace and e.object = t.id
     where t.type = 'expire' and t.account = any ($1) order by t.amount`,
    [members],
  )
  expect(rows).toEqual([
    { account: members[0], amount: -30, at_midnight: true, type: 'loyalty.points.expired' },
    { account: members[1], amount: -12, at_midnight: true, type: 'loyalty.points.expired' },
  ])
})

test('the schedule of totals counts the ledger, so that a report reads totals instead of rows', async () => {
  await memberDueAtMidnight(7)
  const through = async () =>
    (await all.owner.query('select through from ledger_rollup')).rows[0]?.through ?? new Date(0)
  const before = await through()
  const uncounted = async () => {
    await triggered(LEDGER_TOTALS_SCHEDULE_ID) // notes how far it is certain to see
    await all.owner.query(`update ledger_rollup set noted_at = noted_at + interval '10 seconds'`)
    await triggered(LEDGER_TOTALS_SCHEDULE_ID)
    const { rows } = await all.owner.query(
      `select (select count(*) from ptx)::int - (select sum(rows) from ledger_total)::int as n`,
    )
    return rows[0].n
  }
  // the minute's other schedules write meanwhile, and transactions elsewhere hold the totals back
  await expect.poll(uncounted, { timeout: 30_000 }).toBe(0)
  expect((await through()).getTime()).toBeGreaterThan(before.getTime())
})

test('the schedule of snapshots writes one event for each program and day, however often it runs', async () => {
  const programs = (await all.owner.query('select workspace, id from program')).rows
  await triggered(LIABILITY_SNAPSHOT_SCHEDULE_ID)
  expect((await triggered(LIABILITY_SNAPSHOT_SCHEDULE_ID)).snapshots).toBe(0)
  const written = await events('program.liability.snapshot')
  expect(written).toHaveLength(programs.length)
  expect(written[0]).toMatchObject({
    object: 'prog_default',
    data: { program: 'prog_default', as_of: expect.stringMatching(/T00:00:00/) },
  })
})
