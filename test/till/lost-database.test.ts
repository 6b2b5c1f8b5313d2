import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reportedEventWorkflowId } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { balanceOf, member, openTill } from './till.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
  await openTill(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

/** Reports an event whose connection to the database is cut while it waits for the member's lock. */
async function reportAndCut(user: string, eventId: string, query = '') {
  const client = new pg.Client({ connectionString: shop.ownerUrl })
  await client.connect()
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [shop.workspace + user])
  const event = { type: 'REDEEMED_POINTS', user, payload: { points: 30 }, eventId }
  const answer = shop.post(`/v1/events${query}`, event).then((reply) => reply)
  const waiting = async () => {
    const { rows } = await shop.owner.query(
      `select l.pid from pg_locks l join pg_locks h on h.locktype = 'advisory' and h.granted
         and h.classid = l.classid and h.objid = l.objid and h.pid = $1
       where l.locktype = 'advisory' and not l.granted`,
      [await pidOf(client)],
    )
    return rows.map(({ pid }) => pid)
  }
  await expect.poll(waiting, { timeout: 20_000 }).toHaveLength(1)
  const [pid] = await waiting()
  // the owner may not end the application's backends, a member of its role may
  const admin = new pg.Client({ connectionString: shop.url })
  await admin.connect()
  await admin.query('select pg_terminate_backend($1)', [pid])
  await admin.end()
  return { answer: await answer, event, release: () => client.end() }
}

async function pidOf(client: pg.Client): Promise<number> {
  return (await client.query('select pg_backend_pid() as pid')).rows[0].pid
}

test('an event whose connection is lost is accepted, and its workflow does it once', async () => {
  const user = await member(shop, 100)
  const { answer, event, release } = await reportAndCut(user, 'cut-1')
  expect([answer.status, answer.body]).toMatchObject([
    202,
    { status: 'accepted', eventId: 'cut-1', reactors: [] },
  ])
  await release()
  const run = shop.engine.client.workflow.getHandle(
    reportedEventWorkflowId(shop.workspace, 'cut-1'),
  )
  expect(await run.result()).toMatchObject({ eventId: 'cut-1', outcome: 'processed' })
  const asked = await shop.post('/v1/events', event)
  expect([asked.status, asked.headers['idempotent-replayed'], asked.body]).toMatchObject([
    200,
    'true',
    { status: 'processed', points: -30, balance: 70 },
  ])
  expect(await balanceOf(shop, user)).toBe(70)
})

test('a till that asks again before its workflow is done makes no second debit', async () => {
  const user = await member(shop, 100)
  const { answer, event, release } = await reportAndCut(user, 'cut-2')
  expect(answer.status).toBe(202)
  const again = Array.from({ length: 8 }, () => shop.post('/v1/events', event))
  const answered = Promise.all(again.map((one) => one.then((reply) => reply.body)))
  await release()
  const bodies = await answered
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1)
  const run = shop.engine.client.workflow.getHandle(
    reportedEventWorkflowId(shop.workspace, 'cut-2'),
  )
  await run.result()
  expect(await balanceOf(shop, user)).toBe(70)
})

test('a strict event whose connection is lost is left to the till: 503, and nothing happens later', async () => {
  const user = await member(shop, 100)
  const { answer, event, release } = await reportAndCut(user, 'cut-3', '?strict=true')
  expect([answer.status, answer.body.error.code]).toEqual([503, 'temporarily_unavailable'])
  await release()
  expect(await balanceOf(shop, user)).toBe(100)
  const again = await shop.post('/v1/events?strict=true', event)
  expect([again.status, again.body.balance]).toEqual([200, 70])
})
