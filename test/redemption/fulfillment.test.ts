import { WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEventsToSend } from '../../db/webhook-deliveries.ts'
import { derivedId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { balanceOf, ended } from '../support/redeem.ts'
import { DAY_MS, eventsOf, itemReward } from '../support/redeem-item.ts'
import { startedRun } from '../support/run.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const REDEMPTIONS = '/v1/loyalty/redemptions'
const shipping = {
  name: 'Mira Olsen',
  line1: 'Storgata 12',
  city: 'Oslo',
  postalCode: '0155',
  country: 'NO',
}
const redeem = async (reward: string, more: object = {}) =>
  (await shop.post(REDEMPTIONS, { account: 'loy_8sd2k1', reward, ...more })).body
const ask = (id: string, verb: string, body: object = {}, idempotencyKey?: string) =>
  shop.post(`${REDEMPTIONS}/${id}/${verb}`, body, { idempotencyKey })
const run = (id: string) => startedRun(shop.engine, id)

describe('a redeemed item', () => {
  it('leaves name and address in its row alone: its events refer to it, and show them while it has them', async () => {
    const { id } = await redeem(await itemReward(shop), { shipping })
    await ask(id, 'fulfill', { tracking: '0034', carrier: 'DHL' })
    const stored = async () =>
      (await shop.owner.query('select data, previous from event where object = $1', [id])).rows
    const rows = await stored()
    expect(rows.length).toBeGreaterThan(1)
    for (const { data } of rows) expect(data.fulfillment.shipping).toEqual({ redemption: id })
    expect(JSON.stringify(rows)).not.toMatch(/Mira|Storgata/)

    const shown = async () => {
      const list = (await shop.get(`/v1/events?object=${id}`)).body.data
      const one = (await shop.get(`/v1/events/${list[0].id}`)).body
      const scope = { workspace: shop.workspace, livemode: false }
      const sent = await readEventsToSend(shop.pool, scope, [list[0].id])
      return [...list, one, sent.get(list[0].id)].map(({ data }) => data.fulfillment.shipping)
    }
    expect(new Set((await shown()).map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify((await shop.get(`${REDEMPTIONS}/${id}`)).body.fulfillment.shipping)]),
    )
    expect((await shown())[0]).toEqual(shipping)

    await shop.owner.query(
      `update redemption set fulfillment = jsonb_set(fulfillment, '{shipping}', 'null') where id = $1`,
      [id],
    )
    expect(new Set(await shown())).toEqual(new Set([null]))
  })

  it('waits for its fulfilment from the start, with its address and its deadline', async () => {
    const before = await balanceOf(shop)
    const reward = await itemReward(shop)
    const item = await redeem(reward, { shipping })
    expect(item).toMatchObject({
      status: 'fulfillment_pending',
      points: 100,
      expires_at: null,
      fulfillment: {
        status: 'pending',
        product: 'Mug',
        quantity: 1,
        shipped: 0,
        shipping,
        tracking: null,
        onOverdue: 'notify',
      },
    })
    expect(Date.parse(item.fulfillment.deadline) - Date.parse(item.created_at)).toBe(7 * DAY_MS)
    expect(await balanceOf(shop)).toBe(before - 100)
  })

  it('has a run under its id that says what it waits for, before that has executed anything', async () => {
    const item = await redeem(await itemReward(shop))
    const described = await (await run(item.id)).describe()
    expect(described).toMatchObject({ type: 'fulfillment', historyLength: 1 })
    expect(described.status.name).toBe('RUNNING')
    expect(await described.staticSummary()).toBe(
      `item to be shipped by ${item.fulfillment.deadline}`,
    )
    const { events } = await (await run(item.id)).fetchHistory()
    const delay = events?.[0]?.workflowExecutionStartedEventAttributes?.firstWorkflowTaskBackoff
    expect(Number(delay?.seconds)).toBeGreaterThan((7 * DAY_MS) / 1_000 - 60)
  })

  it('whose reward sets no deadline has thirty days', async () => {
    const item = await redeem('rwd_totebag')
    expect(Date.parse(item.fulfillment.deadline) - Date.parse(item.created_at)).toBe(30 * DAY_MS)
    expect(item.fulfillment.onOverdue).toBe('notify')
  })

  it('is fulfilled by its tracking and carrier, and its run ends', async () => {
    const item = await redeem(await itemReward(shop))
    const { status, body } = await ask(item.id, 'fulfill', { tracking: '0034', carrier: 'DHL' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'fulfilled',
      fulfilled_at: expect.any(String),
      fulfillment: { status: 'fulfilled', shipped: 1, tracking: '0034', carrier: 'DHL' },
    })
    expect(await eventsOf(shop, item.id)).toEqual(['created', 'fulfilled'])
    expect(await ended(shop, item.id)).toEqual({
      redemption: item.id,
      status: 'fulfilled',
      story: 'Fulfilled: 1 of 1 shipped (DHL 0034).',
    })
  })

  it('is fulfilled once: a repeat with the key answers the same, another one is refused', async () => {
    const item = await redeem(await itemReward(shop))
    const first = await ask(item.id, 'fulfill', { tracking: '1' }, 'parcel-1')
    const again = await ask(item.id, 'fulfill', { tracking: '1' }, 'parcel-1')
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true'])
    expect(again.body).toEqual(first.body)
    const other = await ask(item.id, 'fulfill', { tracking: '2' }, 'parcel-1')
    expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_key_reused'])
    const late = await ask(item.id, 'fulfill', { tracking: '2' })
    expect([late.status, late.body.error.code, late.body.error.status]).toEqual([
      422,
      'redemption_already_settled',
      'fulfilled',
    ])
    expect(await eventsOf(shop, item.id)).toEqual(['created', 'fulfilled'])
  })

  it('of twenty fulfilled and reversed at once has one outcome each', async () => {
    const before = await balanceOf(shop)
    const reward = await itemReward(shop, { inventory: 50 })
    const items = await Promise.all(Array.from({ length: 10 }, () => redeem(reward)))
    const answers = await Promise.all(
      items.flatMap(({ id }) => [
        ask(id, 'fulfill', { tracking: 'x' }),
        ask(id, 'fulfill', { tracking: 'y' }),
      ]),
    )
    expect(answers.filter(({ status }) => status === 200).length).toBe(10)
    expect(answers.filter(({ status }) => status === 422).length).toBe(10)
    const returns = await Promise.all(
      items.flatMap(({ id }) => [
        ask(id, 'reverse', { reason: 'item_returned' }),
        ask(id, 'reverse', { reason: 'item_returned' }),
      ]),
    )
    expect(returns.filter(({ status }) => status === 200).length).toBe(10)
    expect(await balanceOf(shop)).toBe(before)
    expect((await shop.get(`/v1/loyalty/rewards/${reward}`)).body.inventory).toBe(50)
  })

  it('comes back once for one key', async () => {
    const reward = await itemReward(shop)
    const send = () =>
      shop.post(REDEMPTIONS, { account: 'loy_8sd2k1', reward }, { idempotencyKey: 'mug-1' })
    const answers = await Promise.all(Array.from({ length: 10 }, send))
    expect(answers.filter(({ status }) => status === 201).length).toBe(1)
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  })
})

describe('several parcels', () => {
  it('leave it waiting until the last one', async () => {
    const reward = await itemReward(shop, { value: { quantity: 2 } })
    const item = await redeem(reward, { quantity: 2 })
    expect(item.fulfillment).toMatchObject({ quantity: 4 })
    const first = await ask(item.id, 'fulfill', { quantity: 3, tracking: 'a', carrier: 'Posten' })
    expect(first.body).toMatchObject({
      status: 'fulfillment_pending',
      fulfilled_at: null,
      fulfillment: {
        status: 'partially_fulfilled',
        shipped: 3,
        tracking: 'a',
        shipments: [{ quantity: 3, tracking: 'a', carrier: 'Posten' }],
      },
    })
    const tooMany = await ask(item.id, 'fulfill', { quantity: 2 })
    expect([tooMany.status, tooMany.body.error]).toMatchObject([
      400,
      { code: 'parameter_invalid', param: 'quantity', left: 1 },
    ])
    const last = await ask(item.id, 'fulfill', { tracking: 'b' })
    expect(last.body).toMatchObject({
      status: 'fulfilled',
      fulfillment: { shipped: 4, tracking: 'b', carrier: null },
    })
    expect(last.body.fulfillment.shipments).toHaveLength(2)
    expect(await eventsOf(shop, item.id)).toEqual(['created', 'fulfilled'])
    expect((await ended(shop, item.id)).status).toBe('fulfilled')
  })
})

describe('what has nothing to ship', () => {
  it('is not fulfilled', async () => {
    const { id } = await redeem('rwd_fivecredit')
    const { status, body } = await ask(id, 'fulfill', { tracking: 'x' })
    expect([status, body.error.code, body.error.param]).toEqual([400, 'parameter_invalid', 'id'])
  })

  it('takes no address, and takes no points for it', async () => {
    const before = await balanceOf(shop)
    const body = { account: 'loy_8sd2k1', reward: 'rwd_fivecredit', shipping }
    const answer = await shop.post(REDEMPTIONS, body)
    expect([answer.status, answer.body.error.param]).toEqual([400, 'shipping'])
    expect(await balanceOf(shop)).toBe(before)
  })

  it('and an item is neither cancelled nor extended', async () => {
    const { id } = await redeem(await itemReward(shop))
    for (const [verb, body] of [
      ['cancel', {}],
      ['extend', { minutes: 5 }],
    ] as const) {
      const answer = await ask(id, verb, body)
      expect([answer.status, answer.body.error.code, answer.body.error.status]).toEqual([
        422,
        'redemption_already_settled',
        'fulfillment_pending',
      ])
    }
  })
})

it('cancelled in the Temporal UI, the points of what was not shipped return', async () => {
  const before = await balanceOf(shop)
  const item = await redeem(await itemReward(shop), { quantity: 3 })
  await ask(item.id, 'fulfill', { quantity: 2 })
  await (await run(item.id)).cancel()
  expect(await ended(shop, item.id)).toMatchObject({
    status: 'fulfilled',
    story:
      'Fulfilled: 2 of 3 shipped (no tracking). Points for the rest are back with the member (canceled_by_operator).',
  })
  expect(await balanceOf(shop)).toBe(before - 200)
})

it('refused after it waited for the last one of its reward, nothing of it is left: neither a row nor a run', async () => {
  const reward = await itemReward(shop, { inventory: 1 })
  const idempotencyKey = 'last-mug'
  const blocker = await shop.owner.connect()
  await blocker.query('begin')
  await blocker.query('update reward set inventory = 0 where id = $1', [reward])
  // sees that there is one, and then waits for the reward that somebody else is emptying
  const sent = shop
    .post(REDEMPTIONS, { account: 'loy_abc123', reward }, { idempotencyKey })
    .then((answer) => answer)
  try {
    await expect.poll(waitingForRow, { timeout: 20_000 }).toBe(1)
  } finally {
    await blocker.query('commit')
    blocker.release()
  }
  const { status, body } = await sent
  expect([status, body.error.code]).toEqual([422, 'reward_out_of_stock'])
  const id = derivedId('rdm', shop.workspace, 'POST /v1/loyalty/redemptions', idempotencyKey)
  expect((await shop.get(`${REDEMPTIONS}/${id}`)).status).toBe(404)
  const outboxRow = 'select from workflow_outbox where workflow_id = $1'
  expect((await shop.owner.query(outboxRow, [id])).rowCount).toBe(0)
  const none = shop.engine.client.workflow.getHandle(id)
  await expect(none.describe()).rejects.toThrow(WorkflowNotFoundError)
})

async function waitingForRow(): Promise<number | null> {
  const { rowCount } = await shop.owner.query(
    `select from pg_locks l join pg_stat_activity a using (pid)
     where not l.granted and l.locktype in ('transactionid', 'tuple') and a.datname = current_database()`,
  )
  return rowCount
}
