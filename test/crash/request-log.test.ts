import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RECONCILER_SCHEDULE_ID } from '../../temporal/names.ts'
import { Processes } from '../support/processes.ts'

let all: Processes
beforeAll(async () => {
  all = await Processes.start()
})
afterAll(() => all.stop())

const logged = async () => {
  const { rows } = await all.owner.query<{ resource: string }>(
    `select resource from request where route = '/v1/loyalty/redemptions'`,
  )
  return rows.map(({ resource }) => resource)
}
const created = async (key: string) => String((await all.redeem(key)).body.id)

test('an API that is asked to stop writes the requests that it has answered', async () => {
  const ids = await Promise.all([1, 2, 3, 4, 5].map((n) => created(`quit-${n}`)))
  await all.quit('api')
  expect((await logged()).toSorted()).toEqual(ids.toSorted())
  await all.startApi()
})

test('an API that is killed loses the end of its log, and nothing else', async () => {
  const earlier = await created('before')
  await expect.poll(logged).toContain(earlier)
  const last = await created('last')
  await all.kill('api')
  const [kept, redemptions] = await Promise.all([logged(), all.redemptions()])
  expect(kept).toContain(earlier)
  expect(redemptions.map(({ id }) => id)).toEqual(expect.arrayContaining([earlier, last]))
  await all.startApi()
  const again = await created('after')
  await expect.poll(logged).toContain(again)
})

test('while Postgres is away requests are refused as ever, and those answered before are written afterwards', async () => {
  const before = await created('before-the-outage')
  await all.kill('postgres')
  const refused = await all.redeem('meanwhile')
  expect([refused.status, refused.body]).toMatchObject([
    503,
    { error: { code: 'temporarily_unavailable' } },
  ])
  await all.startPostgres()
  await expect.poll(logged, { timeout: 30_000 }).toContain(before)
  const statuses = async () => {
    const { rows } = await all.owner.query<{ status: number }>(
      'select status from request where id = $1',
      [Object(refused.body.error).request_id],
    )
    return rows.map(({ status }) => status)
  }
  await expect.poll(statuses).toEqual([503])
})

test('the worker, under a role of its own, makes the next days of the log', async () => {
  const days = async () => {
    const { rows } = await all.owner.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'request'::regclass`,
    )
    return rows.map(({ name }) => name)
  }
  for (const name of await days()) await all.owner.query(`drop table ${name}`)
  const connection = await Connection.connect({ address: `127.0.0.1:${all.ports.temporal}` })
  const schedule = new Client({ connection }).schedule.getHandle(RECONCILER_SCHEDULE_ID)
  await schedule.trigger()
  await expect.poll(async () => (await days()).length, { timeout: 40_000 }).toBe(5)
  await connection.close()
})
