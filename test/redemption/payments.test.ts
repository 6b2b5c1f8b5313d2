import { WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPayment } from '../../db/payments.ts'
import { newId } from '../../domain/ids.ts'
import { paymentWorkflowId } from '../../temporal/names.ts'
import { cancel } from '../../workflows/messages.ts'
import { attach, report } from '../support/attach.ts'
import { type House, openHouse } from '../support/house.ts'
import { askRedemption } from '../support/previous-api.ts'
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

/** A provider's event, taken in as the webhook route does. */
const receive = (
  payment: string,
  status: 'completed' | 'failed' | 'processing',
  more: Record<string, unknown> = {},
) =>
  house.commands.receivePayment({
    workspace: house.workspace,
    provider: 'sandbox',
    endpoint: house.keys.paymentEndpoint,
    content: [],
    event: newId('evt'),
    type: `payment.${status}`,
    payload: {},
    payment: { id: payment, amount: 2_999, currency: 'eur', refs: [], ...more },
    status,
    at: new Date().toISOString(),
  })

const cancelOf = (input: Awaited<ReturnType<typeof redeem>>) =>
  askRedemption(house.engine, input, cancel, {
    operation: newId('op'),
    fingerprint: 'test',
    reason: 'canceled',
  })

describe('a payment that leaves its redemption', () => {
  test('declined: released', async () => {
    const { redemption } = await redeem(house)
    await receive(newId('pay'), 'failed', { refs: [{ redemption }] })
    expect(await ended(house, redemption)).toMatchObject({ status: 'released' })
  })

  test('canceled: released, and the redemption names its reason', async () => {
    const { redemption } = await redeem(house)
    const { payment } = await pay(house, [redemption], 'requires_payment')
    await house.commands.movePayment({
      workspace: house.workspace,
      payment: payment?.id ?? '',
      status: 'canceled',
      event: newId('evt'),
      at: new Date().toISOString(),
    })
    expect(await ended(house, redemption)).toMatchObject({ status: 'released' })
    expect(await redemptionOf(house, redemption)).toMatchObject({ reason: 'payment_canceled' })
  })

  test('abandoned: an attached payment that never completes does not stop the deadline; the discount is taken off it', async () => {
    const { redemption } = await redeem(house, { holdMs: 1_000 })
    const { payment } = await pay(house, [redemption], 'requires_payment')
    expect(payment).toMatchObject({ amount_charged: 2_499 })
    expect(await ended(house, redemption)).toMatchObject({ status: 'released' })
    const after = await findPayment(house.pool, house.workspace, payment?.id ?? '')
    expect(after).toMatchObject({ status: 'requires_payment', amountCharged: 2_999 })
    expect(after?.discounts[0]).toHaveProperty('removed_at')
  })

  test('completed twice, by two events: applied once', async () => {
    const { redemption } = await redeem(house)
    const payment = newId('pay')
    await receive(payment, 'completed', { refs: [{ redemption }], amount_charged: 2_499 })
    await receive(payment, 'completed', { refs: [{ redemption }], amount_charged: 2_499 })
    await ended(house, redemption)
    const { rows } = await house.owner.query(
      `select count(*)::int as n from event where object = $1 and type = 'loyalty.redemption.applied'`,
      [redemption],
    )
    expect(rows[0].n).toBe(1)
  })

  test('out of order: failed after completed changes nothing', async () => {
    const { redemption } = await redeem(house)
    const payment = newId('pay')
    await receive(payment, 'completed', { refs: [{ redemption }], amount_charged: 2_499 })
    const late = await receive(payment, 'failed')
    expect(late.payment).toMatchObject({ status: 'completed' })
    await ended(house, redemption)
    expect(await redemptionOf(house, redemption)).toMatchObject({ status: 'applied' })
  })

  test.each([
    ['the customer is another’s', 'loy_9f2k', { customer: 'cust_other', metadata: {} }],
    [
      'there is no customer, and the metadata names another',
      'loy_8sd2k1',
      { customer: null, metadata: { loyalty_account: 'loy_9f2k' } },
    ],
    [
      'the customer has no account, and the metadata names another',
      'loy_8sd2k1',
      { customer: 'cust_unknown', metadata: { loyalty_account: 'loy_9f2k' } },
    ],
  ])('a redemption of another member is refused at attach: %s', async (_how, account, payer) => {
    const { redemption } = await redeem(house, { account })
    const refused = await house.commands.createPayment({
      workspace: house.workspace,
      payment: newId('pay'),
      route: '',
      key: null,
      fingerprint: '',
      amount: 2_999,
      currency: 'eur',
      ...payer,
      redemptions: [{ redemption }],
      status: 'completed',
      awaitsConfirmation: false,
      event: newId('evt'),
      at: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    })
    expect(refused).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'redemption_account_mismatch' },
    })
    expect(await redemptionOf(house, redemption)).toMatchObject({
      status: 'pending',
      payment: null,
    })
  })

  test('one redemption for two payments: refused while the first is open or completed, taken once it failed', async () => {
    const { redemption } = await redeem(house)
    const first = await attach(house, redemption, 'requires_payment')
    expect(await pay(house, [redemption])).toMatchObject({
      refusal: { code: 'redemption_already_attached', resource: first },
    })
    await report(house, first, 'failed')
    expect(await pay(house, [redemption])).toMatchObject({ payment: { status: 'completed' } })
    expect(await ended(house, redemption)).toMatchObject({ status: 'applied' })
    const again = await pay(house, [redemption])
    expect(again).toMatchObject({ refusal: { code: 'redemption_already_attached' } })
  })

  test('several redemptions on one payment: their discounts add up, never below zero', async () => {
    const three = await Promise.all([
      redeem(house),
      redeem(house, { account: 'loy_abc123' }),
      redeem(house),
    ])
    const result = await house.commands.createPayment({
      workspace: house.workspace,
      payment: newId('pay'),
      route: '',
      key: null,
      fingerprint: '',
      amount: 1_200,
      currency: 'eur',
      customer: null,
      metadata: {},
      redemptions: three.map(({ redemption }) => ({ redemption })),
      status: 'requires_payment',
      awaitsConfirmation: false,
      event: newId('evt'),
      at: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    })
    expect(result.payment).toMatchObject({ amount_charged: 0, status: 'completed' })
    for (const { redemption } of three)
      expect(await ended(house, redemption)).toMatchObject({ status: 'applied' })
  })
})

describe('completed after release', () => {
  test('the provider charged the full amount: nothing is late, the member paid it', async () => {
    const input = await redeem(house)
    const { payment } = await pay(house, [input.redemption], 'requires_payment')
    await cancelOf(input)
    await receive(payment?.id ?? '', 'completed', { amount_charged: 2_999 })
    expect(await redemptionOf(house, input.redemption)).toMatchObject({
      status: 'released',
      latePayment: null,
    })
  })

  test('flag, the default: the points stay with the member and a person decides', async () => {
    const before = await balanceOf(house)
    const input = await redeem(house)
    const { payment } = await pay(house, [input.redemption], 'requires_payment')
    await cancelOf(input)
    await receive(payment?.id ?? '', 'completed', { amount_charged: 2_499 })
    await expect
      .poll(async () => (await redemptionOf(house, input.redemption)).latePayment)
      .toMatchObject({
        payment: payment?.id,
        outcome: 'flagged',
      })
    expect(await redemptionOf(house, input.redemption)).toMatchObject({ status: 'released' })
    expect(await balanceOf(house)).toBe(before)
  })

  test('rehold: the points are taken again where they are there, else it is flagged', async () => {
    await house.owner.query(`update program set late_payment = 'rehold' where workspace = $1`, [
      house.workspace,
    ])
    const before = await balanceOf(house)
    const input = await redeem(house)
    await cancelOf(input)
    await receive(newId('pay'), 'completed', {
      refs: [{ redemption: input.redemption }],
      amount_charged: 2_499,
    })
    await expect
      .poll(async () => (await redemptionOf(house, input.redemption)).status)
      .toBe('applied')
    expect(await redemptionOf(house, input.redemption)).toMatchObject({
      latePayment: { outcome: 'reheld' },
    })
    expect(await balanceOf(house)).toBe(before - 500)

    const poor = await redeem(house, { account: 'loy_9f2k' })
    await cancelOf(poor)
    const left = await balanceOf(house, 'loy_9f2k')
    await house.commands.postTransaction({
      workspace: house.workspace,
      account: 'loy_9f2k',
      type: 'adjust',
      amount: -left,
      reason: 'spent',
      operation: newId('op'),
      fingerprint: '',
      at: new Date().toISOString(),
      expiresAt: null,
      batch: null,
      source: null,
      metadata: {},
      allowNegative: false,
    })
    await receive(newId('pay'), 'completed', {
      refs: [{ redemption: poor.redemption }],
      amount_charged: 2_499,
    })
    await expect
      .poll(async () => (await redemptionOf(house, poor.redemption)).latePayment)
      .toMatchObject({ outcome: 'flagged' })
    expect(await balanceOf(house, 'loy_9f2k')).toBe(0)
  })

  test('a payment processing at the deadline keeps its amounts, and is late when it completes', async () => {
    await house.owner.query(`update program set late_payment = 'flag' where workspace = $1`, [
      house.workspace,
    ])
    const { redemption } = await redeem(house, { holdMs: 1_000 })
    const payment = await attach(house, redemption, 'processing')
    expect(await ended(house, redemption)).toMatchObject({ status: 'released' })
    expect(await findPayment(house.pool, house.workspace, payment)).toMatchObject({
      amountCharged: 2_499,
    })
    await receive(payment, 'completed')
    await expect
      .poll(async () => (await redemptionOf(house, redemption)).latePayment)
      .toMatchObject({ outcome: 'flagged', payment })
  })
})

describe('a payment introduced by a webhook', () => {
  test('attaches its redemptions; a refused one is on record and the rest goes on', async () => {
    const { redemption } = await redeem(house)
    const payment = newId('pay')
    await receive(payment, 'completed', {
      refs: [{ redemption }, { redemption: 'rdm_unknown' }],
      amount_charged: 2_499,
    })
    expect(await ended(house, redemption)).toMatchObject({ status: 'applied' })
    const row = await findPayment(house.pool, house.workspace, payment)
    expect(row?.refusedDiscounts).toMatchObject([
      { code: 'resource_missing', redemption: 'rdm_unknown' },
    ])
  })

  test('is processed before it is answered, and needs no run of its own', async () => {
    const payment = newId('pay')
    await receive(payment, 'completed')
    expect(await waitingEvents(payment)).toBe(0)
    const id = paymentWorkflowId(house.workspace, payment)
    const outboxRow = 'select from workflow_outbox where workflow_id = $1'
    expect((await house.owner.query(outboxRow, [id])).rowCount).toBe(0)
    const none = house.engine.client.workflow.getHandle(id)
    await expect(none.describe()).rejects.toThrow(WorkflowNotFoundError)
  })

  test('is handed to a run, which retries until it is processed, where that fails in the request', async () => {
    const payment = newId('pay')
    await house.owner.query(
      'alter function ledger_private.earnings_of_events rename to earnings_of_events_away',
    )
    try {
      await receive(payment, 'completed')
      expect(await waitingEvents(payment)).toBe(1)
    } finally {
      await house.owner.query(
        'alter function ledger_private.earnings_of_events_away rename to earnings_of_events',
      )
    }
    expect(await paymentEnded(payment)).toMatchObject({ status: 'completed' })
    expect(await waitingEvents(payment)).toBe(0)
  })
})

const waitingEvents = async (payment: string): Promise<number> => {
  const { rows } = await house.owner.query(
    'select count(*)::int as n from inbox where payment = $1 and processed_at is null',
    [payment],
  )
  return rows[0].n
}

const paymentEnded = (payment: string) => ended(house, paymentWorkflowId(house.workspace, payment))
