import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'

const PROJECT = new URL('../../', import.meta.url).pathname
const COPIES = 10_000
const SHIPPING = {
  name: 'Ola Nordmann',
  line1: 'Storgata 1',
  city: 'Oslo',
  postalCode: '0155',
  country: 'NO',
}

let shop: Shop
let reward: string
beforeAll(async () => {
  shop = await openShop({ worker: false })
  const bag = { name: 'Bag', type: 'free_product', cost: 1, value: { product: 'Bag' } }
  const { body } = await shop.post('/v1/loyalty/rewards', bag)
  reward = body.id
})
afterAll(async () => {
  await rows(`delete from event where id < 'evt_0001'`) // the copies, which the books know nothing of
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const redeem = async () => {
  const sent = { account: 'loy_8sd2k1', reward, shipping: SHIPPING }
  const { status, body } = await shop.post('/v1/loyalty/redemptions', sent)
  expect(status).toBe(201)
  return body.id as string
}

const rows = async (text: string, values: unknown[] = []) =>
  (await shop.owner.query(text, values)).rows

const number = async (text: string) =>
  Number((await rows(`select count(*) as n from ${text}`))[0].n)

/** Events and payloads as the release before wrote them, and nothing of it brought in line. */
async function asBefore(redemption: string) {
  await rows(
    `update event set data = jsonb_set(data, '{fulfillment,shipping}', $2) where object = $1`,
    [redemption, SHIPPING],
  )
  await rows(
    `insert into event (workspace, id, type, object, data, created_at)
     select workspace, 'evt_' || lpad(n::text, 22, '0'), type, object, data, created_at
     from event, generate_series(1, $2) n where object = $1`,
    [redemption, COPIES],
  )
  const said = { customer: 'cus_1', email: 'ola@example.com', amount: 500 }
  await rows(
    `insert into inbox (workspace, endpoint, id, provider, type, payload, received_at, processed_at)
     values ($1, 'whs_1', 'evt_old', 'stripe', 'payment.completed', $2, now(), now())`,
    [shop.workspace, { type: 'paid', created: 1, data: { object: said } }],
  )
  await rows(
    `insert into attention (workspace, id, kind, object, key, details, since, last_at)
     values ($1, $2, 'payment_event_conflict', 'pay_1', 'k', $3, now(), now())`,
    [shop.workspace, newId('att'), { provider: 'stripe', payload: { data: { object: said } } }],
  )
  await rows(`update backfill set ended_at = null, through = default, seen = 0, changed = 0`)
}

/** Starts `vinr migrate`; `onOutput` sees all that it has said so far. */
function startMigrate(onOutput: (output: string) => void) {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, DATABASE_URL: shop.url, MIGRATION_DATABASE_URL: shop.ownerUrl }
  const child = spawn(`${PROJECT}cli/vinr.js`, ['migrate'], { cwd: PROJECT, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      output += part
      onOutput(output)
    })
  }
  return { child, ended: once(child, 'exit').then(([code]) => ({ code: code as unknown, output })) }
}

it('`vinr migrate` brings rows from before in line while the product runs; killed in the middle it goes on where it was', async () => {
  const redemption = await redeem()
  const [{ id: event }] = await rows('select id from event where object = $1', [redemption])
  const shown = async () => (await shop.get(`/v1/events/${event}`)).body
  await asBefore(redemption)
  const before = await shown()
  expect(before.data.fulfillment.shipping).toEqual(SHIPPING)

  const killed = startMigrate((output) => {
    if (/events: \d+ rows seen/.test(output)) killed.child.kill('SIGKILL')
  })
  const { output } = await killed.ended
  expect(output).not.toContain('done')
  const [reached] = await rows(
    `select seen::int, changed::int from backfill where store = 'events'`,
  )
  expect(reached.seen).toBeGreaterThan(0)
  expect(reached.seen).toBeLessThan(COPIES)
  const withName = `event where data::text like '%Ola Nordmann%'`
  const left = await number(withName)
  expect(left).toBeGreaterThan(0)

  let isOver = false
  const second = startMigrate(() => {})
  const during = second.ended.then((end) => {
    isOver = true
    return end
  })
  for (let n = 0; n < 100 && !isOver; n++) await redeem()
  const end = await during
  expect(end).toMatchObject({ code: 0 })
  expect(end.output).toMatch(/events: \d+ rows seen, \d+ changed, done/)
  expect(await number(withName)).toBe(0)
  const [all] = await rows(`select changed::int from backfill where store = 'events'`)
  expect(all.changed).toBe(reached.changed + left) // none was done twice, and none left out
  expect(await shown()).toEqual(before)

  const [{ payload, fingerprint }] = await rows(
    `select payload, fingerprint from inbox where id = 'evt_old'`,
  )
  expect(payload.data.object).toEqual({ customer: 'cus_1', amount: 500 })
  expect(fingerprint).toMatch(/^[0-9a-f]{64}$/)
  const [{ details }] = await rows(`select details from attention where object = 'pay_1'`)
  expect(details.payload.data.object).toEqual({ customer: 'cus_1', amount: 500 })
})
