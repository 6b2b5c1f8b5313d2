import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { member, openTill } from './till.ts'

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
  await openTill(shop)
})
afterAll(() => shop.close())

/** What the reconciliation says after a change that is taken back. */
async function rulesBrokenBy(change: string): Promise<string[]> {
  const reconcile = await readFile(new URL('../../db/reconcile.sql', import.meta.url), 'utf8')
  const client = await shop.owner.connect()
  try {
    await client.query('begin')
    await client.query(change)
    return (await client.query(reconcile)).rows.map(({ rule }) => rule)
  } finally {
    await client.query('rollback')
    client.release()
  }
}

const RULE = 'a reported event moved what its outcomes say'

test('the books notice an event that says more than it moved, and one that moved without saying', async () => {
  const user = await member(shop, 100)
  const payload = { points: 30 }
  const { body } = await shop.post('/v1/events', { type: 'REDEEMED_POINTS', user, payload })
  expect(await rulesBrokenBy('select 1')).toEqual([])
  const copy = `insert into reported_event select (jsonb_populate_record(r, $$ {"id": "evt_copy",
    "event_id": "copy"} $$)).* from reported_event r where id = '${body.id}'`
  expect(await rulesBrokenBy(copy)).toEqual([RULE])
  const uncounted = `insert into reactor_activation select workspace, 'evt_' || event, reactor, account, at
    from reactor_activation; insert into reported_event select (jsonb_populate_record(r, $$ {"id":
    "evt_${body.id}", "event_id": "copy", "outcomes": [], "points": 0} $$)).* from reported_event r`
  expect(await rulesBrokenBy(uncounted)).toEqual([RULE])
})
