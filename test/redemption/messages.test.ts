import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { WORKFLOW } from '../../temporal/names.ts'
import type { RedemptionInput } from '../../workflows/inputs.ts'
import { cancel, extend, reverse } from '../../workflows/messages.ts'
import { attach, report } from '../support/attach.ts'
import { type House, openHouse } from '../support/house.ts'
import {
  askRedemption,
  signalCreated,
  signalPaymentOutcome,
  startRedemptionDelayed,
} from '../support/previous-api.ts'
import { balanceOf, ended, pay, redeem, redemptionOf } from '../support/redeem.ts'

let house: House

beforeAll(async () => {
  house = await openHouse()
})
afterAll(async () => {
  const broken = await house.reconcile()
  await house.close()
  expect(broken).toEqual([])
})

const operation = () => ({ operation: newId('op'), fingerprint: 'test' })
const attached = (input: RedemptionInput) => ({
  id: input.redemption,
  account: input.account,
  reward: input.reward,
  expires_at: input.releasesAt,
})
const statusOf = async (id: string) =>
  (await house.engine.client.workflow.getHandle(id).describe()).status.name

describe('a run that waits for its deadline', () => {
  test('is started by a cancel, and the points are back before the answer', async () => {
    const before = await balanceOf(house)
    const input = await redeem(house)
    const answer = await askRedemption(house.engine, input, cancel, {
      ...operation(),
      reason: 'changed_mind',
    })
    expect(answer).toEqual({ replayed: false })
    expect(await redemptionOf(house, input.redemption)).toMatchObject({
      status: 'released',
      reason: 'changed_mind',
    })
    expect(await balanceOf(house)).toBe(before)
    expect(await ended(house, input.redemption)).toMatchObject({ status: 'released' })
  })

  test('is started by an extension, and holds the points until the new deadline', async () => {
    const input = await redeem(house, { holdMs: 2_000 })
    const first = await redemptionOf(house, input.redemption)
    await askRedemption(house.engine, input, extend, { ...operation(), minutes: 1 })
    const extended = await redemptionOf(house, input.redemption)
    expect(extended.expiresAt?.getTime()).toBe((first.expiresAt?.getTime() ?? 0) + 60_000)
    const later = await house.commands.releaseDueRedemption({
      workspace: house.workspace,
      redemption: input.redemption,
      at: input.releasesAt,
    })
    expect(later.outcome).toBe('not_due')
    expect(await statusOf(input.redemption)).toBe('RUNNING')
    await askRedemption(house.engine, input, cancel, { ...operation(), reason: 'done' })
  })

  test('obeys the same operation once: an extension sent twice adds its minutes once', async () => {
    const input = await redeem(house)
    const ask = { ...operation(), minutes: 10 }
    expect(await askRedemption(house.engine, input, extend, ask)).toEqual({ replayed: false })
    const once = await redemptionOf(house, input.redemption)
    // a repeat that reaches the workflow again (another update id, as after retention) finds the stored message
    const again = await house.commands.extendRedemption({
      ...ask,
      workspace: house.workspace,
      redemption: input.redemption,
      at: new Date().toISOString(),
    })
    expect(again.outcome).toBe('replayed')
    expect(await redemptionOf(house, input.redemption)).toEqual(once)
    await askRedemption(house.engine, input, reverse, { ...operation(), reason: 'done' })
    expect(await redemptionOf(house, input.redemption)).toMatchObject({ status: 'reversed' })
  })

  test('cancelled in the Temporal UI means cancel: released, and the run completes', async () => {
    const input = await redeem(house)
    await house.engine.client.workflow.getHandle(input.redemption).cancel()
    expect(await ended(house, input.redemption)).toMatchObject({ status: 'released' })
    expect(await redemptionOf(house, input.redemption)).toMatchObject({
      reason: 'canceled_by_operator',
    })
  })

  test('cancelled in the Temporal UI while its payment is processing keeps waiting, and is applied', async () => {
    const input = await redeem(house)
    const payment = await attach(house, input.redemption, 'processing')
    const handle = house.engine.client.workflow.getHandle(input.redemption)
    await handle.cancel()
    await expect
      .poll(async () =>
        (await handle.fetchHistory()).events?.some((event) => event.markerRecordedEventAttributes),
      )
      .toBe(true)
    expect(await redemptionOf(house, input.redemption)).toMatchObject({ status: 'pending' })
    await report(house, payment, 'completed')
    await signalPaymentOutcome(house.engine, house.workspace, attached(input), {
      id: payment,
      status: 'completed',
    })
    expect(await ended(house, input.redemption)).toMatchObject({ status: 'applied' })
  })
})

describe('a run started without the delay', () => {
  const start = (input: RedemptionInput) =>
    house.engine.client.workflow.start(WORKFLOW.redemption, {
      workflowId: input.redemption,
      taskQueue: house.engine.taskQueue,
      args: [input],
    })

  test('waits for the payment and is applied', async () => {
    const input = await redeem(house, { start: false })
    await start(input)
    await pay(house, [input.redemption])
    expect(await ended(house, input.redemption)).toMatchObject({ status: 'applied' })
  })

  test('releases at the deadline', async () => {
    const input = await redeem(house, { start: false, holdMs: 1_000 })
    await start(input)
    expect(await ended(house, input.redemption)).toMatchObject({ status: 'released' })
  })
})

describe('a run that has finished', () => {
  test('is followed by a fresh one for a late message, which is refused with the status', async () => {
    const input = await redeem(house)
    await pay(house, [input.redemption])
    await ended(house, input.redemption)
    const answer = await askRedemption(house.engine, input, cancel, {
      ...operation(),
      reason: 'late',
    })
    expect(answer.refusal).toMatchObject({
      code: 'redemption_already_settled',
      fields: { status: 'applied' },
    })
    expect(await ended(house, input.redemption)).toMatchObject({ status: 'applied' })
  })

  test('is followed by a fresh one for a reversal of the applied discount', async () => {
    const before = await balanceOf(house)
    const input = await redeem(house)
    await pay(house, [input.redemption])
    await ended(house, input.redemption)
    await askRedemption(house.engine, input, reverse, { ...operation(), reason: 'mistake' })
    expect(await redemptionOf(house, input.redemption)).toMatchObject({
      status: 'reversed',
      reversedPoints: 500,
    })
    expect(await balanceOf(house)).toBe(before)
  })
})

describe('a run whose row never came', () => {
  test('waits two creation windows, checks once more and ends by itself', async () => {
    const id = newId('rdm')
    const input = {
      workspace: house.workspace,
      redemption: id,
      account: 'loy_9f2k',
      reward: 'rwd_fivecredit',
      releasesAt: new Date(Date.now() + 200).toISOString(),
      creationWindowMs: 100,
    }
    expect(await startRedemptionDelayed(house.engine, input, 200)).toBe(true)
    expect(await startRedemptionDelayed(house.engine, input, 200)).toBe(false)
    expect(await ended(house, id)).toMatchObject({ status: 'missing' })
  })

  test('told `created` by a later try of the same create, holds the timer again', async () => {
    const id = newId('rdm')
    const delayed = {
      workspace: house.workspace,
      redemption: id,
      account: 'loy_9f2k',
      reward: 'rwd_fivecredit',
      releasesAt: new Date(Date.now() + 200).toISOString(),
      creationWindowMs: 100,
    }
    await startRedemptionDelayed(house.engine, delayed, 200)
    await ended(house, id)
    const input = await redeem(house, { id, start: false, holdMs: 1_500 })
    await signalCreated(house.engine, input)
    expect(await ended(house, id)).toMatchObject({ status: 'released' })
    expect(await redemptionOf(house, id)).toMatchObject({ status: 'released', reason: 'expired' })
  })
})

test('an operator finds a run by its account and its status', async () => {
  const input = await redeem(house, { account: 'loy_abc123' })
  const find = async (query: string) => {
    const found: string[] = []
    for await (const run of house.engine.client.workflow.list({ query })) found.push(run.workflowId)
    return found
  }
  await expect
    .poll(
      () => find(`RedemptionAccount = 'loy_abc123' and TaskQueue = '${house.engine.taskQueue}'`),
      { timeout: 20_000 },
    )
    .toEqual([input.redemption])
  await askRedemption(house.engine, input, cancel, { ...operation(), reason: 'done' })
  await expect
    .poll(
      () =>
        find(
          `RedemptionAccount = 'loy_abc123' and RedemptionStatus = 'released' and TaskQueue = '${house.engine.taskQueue}'`,
        ),
      { timeout: 20_000 },
    )
    .toEqual([input.redemption])
})
