import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import type { House } from '../support/house.ts'
import { fulfillmentInputOf, startRedemptionDelayed } from '../support/previous-api.ts'
import { balanceOf, redemptionOf } from '../support/redeem.ts'
import { DAY_MS, eventsOf, itemReward, redeemItem } from '../support/redeem-item.ts'
import { openSkippingHouse } from '../support/skipping-house.ts'

let house: House
let env: TestWorkflowEnvironment
let taskQueue: string

beforeAll(async () => {
  ;({ house, env, taskQueue } = await openSkippingHouse())
})
afterAll(async () => {
  const broken = await house.reconcile()
  await house.close()
  expect(broken).toEqual([])
})

const MINUTE_MS = 60_000
const result = (id: string) => env.client.workflow.getHandle(id).result()
const now = () => env.currentTimeMs()
const week = async (reward: string, more: object = {}) =>
  redeemItem(house, { reward, deadlineMs: 7 * DAY_MS, nowMs: await now(), ...more })
const ship = async (redemption: string, quantity?: number) =>
  house.commands.fulfillRedemption({
    workspace: house.workspace,
    redemption,
    quantity,
    tracking: 'a',
    carrier: 'DHL',
    operation: newId('op'),
    fingerprint: '',
    at: new Date(await now()).toISOString(),
  })

describe('the deadline of a fulfilment', () => {
  test('with `notify`: a notice, again every day, until it is shipped', async () => {
    const { redemption } = await week(await itemReward(house))
    const notices = async () => (await eventsOf(house, redemption)).slice(1)
    await env.sleep(7 * DAY_MS - MINUTE_MS)
    expect(await notices()).toEqual([])
    for (let day = 1; day <= 3; day++) {
      await env.sleep(day === 1 ? 2 * MINUTE_MS : DAY_MS)
      await expect.poll(notices).toEqual(Array(day).fill('fulfillment_overdue'))
    }
    expect(await redemptionOf(house, redemption)).toMatchObject({
      status: 'fulfillment_pending',
      fulfillment: { overdue_notices: 3 },
    })
    await ship(redemption)
    expect(await result(redemption)).toMatchObject({ status: 'fulfilled' })
    expect((await notices()).at(-1)).toBe('fulfilled')
    expect(await notices()).toHaveLength(4)
  })

  test('with `refund`: the points return, and stock has the item back', async () => {
    const before = await balanceOf(house)
    const reward = await itemReward(house, { onOverdue: 'refund', inventory: 1 })
    const startedAtMs = await now()
    const { redemption } = await week(reward)
    expect(await result(redemption)).toMatchObject({
      status: 'reversed',
      story: 'Reversed: the points are back with the member (fulfillment_overdue).',
    })
    expect((await now()) - startedAtMs).toBeGreaterThanOrEqual(7 * DAY_MS - 1_000)
    expect(await balanceOf(house)).toBe(before)
    expect(await eventsOf(house, redemption)).toEqual(['created', 'reversed'])
    const { rows } = await house.owner.query('select inventory from reward where id = $1', [reward])
    expect(rows[0].inventory).toBe(1)
  })

  test('with `refund`, some shipped: points for the rest return, and it is fulfilled', async () => {
    const before = await balanceOf(house)
    // two mugs for 100 points, three times; one mug of the second pair is on its way
    const reward = await itemReward(house, {
      onOverdue: 'refund',
      inventory: 9,
      value: { quantity: 2 },
    })
    const { redemption } = await week(reward, { quantity: 3 })
    await ship(redemption, 3)
    expect(await result(redemption)).toMatchObject({ status: 'fulfilled' })
    expect(await redemptionOf(house, redemption)).toMatchObject({
      reversedPoints: 150,
      reversedQuantity: 1,
      reason: 'fulfillment_overdue',
      fulfillment: { shipped: 3, canceled: 3 },
    })
    expect(await balanceOf(house)).toBe(before - 150)
    expect(await eventsOf(house, redemption)).toEqual(['created', 'reversed', 'fulfilled'])
  })

  test('finds it shipped already, where only the message to the run was lost, and ends', async () => {
    const { redemption } = await week(await itemReward(house, { onOverdue: 'refund' }))
    await ship(redemption)
    expect(await result(redemption)).toMatchObject({ status: 'fulfilled' })
    expect(await eventsOf(house, redemption)).toEqual(['created', 'fulfilled'])
  })

  test('is kept by a run started without the delay', async () => {
    const input = await week(await itemReward(house, { onOverdue: 'refund' }), { start: false })
    await env.client.workflow.start(WORKFLOW.fulfillment, {
      workflowId: input.redemption,
      taskQueue,
      args: [input],
    })
    expect(await result(input.redemption)).toMatchObject({ status: 'reversed' })
  })

  test('without a row: the run waits two creation windows more and ends', async () => {
    const id = newId('rdm')
    const nowMs = await now()
    const deadline = new Date(nowMs + DAY_MS).toISOString()
    const about = { id, account: 'loy_9f2k', reward: 'rwd_totebag' }
    const input = fulfillmentInputOf(house.workspace, about, deadline)
    await startRedemptionDelayed(house.engine, input, DAY_MS)
    expect(await result(id)).toMatchObject({ status: 'missing' })
    expect((await now()) - nowMs).toBeGreaterThanOrEqual(DAY_MS + MINUTE_MS)
  })

  test('acted on after four missed days writes one notice, and the next is due a day of its own later', async () => {
    const { redemption } = await week(await itemReward(house), { start: false })
    const { fulfillment } = await redemptionOf(house, redemption)
    const deadlineMs = Date.parse(fulfillment?.deadline ?? '')
    const act = (atMs: number) =>
      house.commands.actOnOverdueFulfillment({
        workspace: house.workspace,
        redemption,
        at: new Date(atMs).toISOString(),
      })
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => act(deadlineMs + 4.5 * DAY_MS)),
    )
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual([
      'not_due',
      'not_due',
      'not_due',
      'not_due',
      'notified',
    ])
    expect((await redemptionOf(house, redemption)).overdueAt?.getTime()).toBe(
      deadlineMs + 5 * DAY_MS,
    )
    expect(await eventsOf(house, redemption)).toEqual(['created', 'fulfillment_overdue'])
  })
})
