import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPayment } from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { paymentWorkflowId, WORKFLOW } from '../../temporal/names.ts'
import { attach } from '../support/attach.ts'
import type { House } from '../support/house.ts'
import { startPaymentDelayed } from '../support/payment-run.ts'
import { startRedemptionDelayed } from '../support/previous-api.ts'
import { balanceOf, redeem, redemptionOf } from '../support/redeem.ts'
import { openSkippingHouse } from '../support/skipping-house.ts'

const MINUTE_MS = 60_000

let env: TestWorkflowEnvironment
let house: House

beforeAll(async () => {
  ;({ house, env } = await openSkippingHouse())
})
afterAll(async () => {
  const broken = await house.reconcile()
  await house.close()
  expect(broken).toEqual([])
})

const result = (id: string) => env.client.workflow.getHandle(id).result()

describe('the 30 minutes', () => {
  test('pass, and the points return', async () => {
    const before = await balanceOf(house)
    const startedAtMs = await env.currentTimeMs()
    const input = await redeem(house, { holdMs: 30 * MINUTE_MS })
    expect(await result(input.redemption)).toMatchObject({ status: 'released' })
    expect((await env.currentTimeMs()) - startedAtMs).toBeGreaterThanOrEqual(30 * MINUTE_MS - 1_000)
    expect(await redemptionOf(house, input.redemption)).toMatchObject({
      status: 'released',
      reason: 'expired',
    })
    expect(await balanceOf(house)).toBe(before)
  })

  test('extended by an hour before they pass, are an hour and a half', async () => {
    const input = await redeem(house, { holdMs: 30 * MINUTE_MS })
    await house.commands.extendRedemption({
      workspace: house.workspace,
      redemption: input.redemption,
      minutes: 60,
      operation: newId('op'),
      fingerprint: '',
      at: new Date(await env.currentTimeMs()).toISOString(),
    })
    const startedAtMs = await env.currentTimeMs()
    expect(await result(input.redemption)).toMatchObject({ status: 'released' })
    expect((await env.currentTimeMs()) - startedAtMs).toBeGreaterThanOrEqual(60 * MINUTE_MS)
  })

  test('are not stopped by an attached payment that stays open', async () => {
    const input = await redeem(house, { holdMs: 30 * MINUTE_MS })
    const payment = await attach(house, input.redemption, 'requires_payment')
    expect(await result(input.redemption)).toMatchObject({ status: 'released' })
    expect(await findPayment(house.pool, house.workspace, payment)).toMatchObject({
      amountCharged: 2_999,
    })
  })

  test('end in applied where the payment has completed and only its message was lost', async () => {
    const input = await redeem(house, { holdMs: 30 * MINUTE_MS })
    await attach(house, input.redemption, 'completed')
    expect(await result(input.redemption)).toMatchObject({ status: 'applied' })
  })

  test('run the same in a workflow started without the delay', async () => {
    const input = await redeem(house, { start: false, holdMs: 30 * MINUTE_MS })
    await env.client.workflow.start(WORKFLOW.redemption, {
      workflowId: input.redemption,
      taskQueue: 'engagement',
      args: [input],
    })
    expect(await result(input.redemption)).toMatchObject({ status: 'released' })
  })

  test('without a row: the run waits two creation windows more and ends', async () => {
    const id = newId('rdm')
    const nowMs = await env.currentTimeMs()
    const input = {
      workspace: house.workspace,
      redemption: id,
      account: 'loy_9f2k',
      reward: 'rwd_fivecredit',
      releasesAt: new Date(nowMs + 30 * MINUTE_MS).toISOString(),
    }
    await startRedemptionDelayed(house.engine, input, 30 * MINUTE_MS)
    expect(await result(id)).toMatchObject({ status: 'missing' })
    expect((await env.currentTimeMs()) - nowMs).toBeGreaterThanOrEqual(31 * MINUTE_MS)
  })
})

test('an open sandbox payment expires after 24 hours', async () => {
  const { redemption } = await redeem(house, { start: false, holdMs: 48 * 60 * MINUTE_MS })
  const payment = await attach(house, redemption, 'requires_payment')
  const row = await findPayment(house.pool, house.workspace, payment)
  const expiresAt = row?.expiresAt?.toISOString() ?? ''
  await startPaymentDelayed(
    house.engine,
    { workspace: house.workspace, payment, expiresAt },
    Date.parse(expiresAt) - (await env.currentTimeMs()),
  )
  expect(await result(paymentWorkflowId(house.workspace, payment))).toMatchObject({
    status: 'expired',
  })
  expect(await result(redemption)).toMatchObject({ status: 'released' })
  expect(await redemptionOf(house, redemption)).toMatchObject({ reason: 'payment_expired' })
})
