import { insertPayment } from '../../app/payments.ts'
import type { PaymentStatus } from '../../db/results/payment.ts'
import { newId } from '../../domain/ids.ts'
import type { House } from './house.ts'
import { takeInUnfinished } from './unfinished.ts'

export type PaymentState = PaymentStatus

const STATUS_EVENTS: Partial<Record<PaymentState, string>> = { requires_payment: 'payment.created' }

/** Attaches a redemption to a new payment, which its provider moves to a state; what follows is left. Returns its id. */
export async function attach(
  house: House,
  redemption: string,
  status: PaymentState,
): Promise<string> {
  const payment = newId('pay')
  const at = new Date()
  const result = await insertPayment(house.pool, {
    workspace: house.workspace,
    payment,
    route: 'POST /v1/payments',
    key: null,
    fingerprint: 'test',
    amount: 2_999,
    currency: 'eur',
    customer: null,
    metadata: {},
    redemptions: [{ redemption }],
    status: 'requires_payment',
    awaitsConfirmation: false,
    event: newId('evt'),
    at: at.toISOString(),
    expiresAt: new Date(at.getTime() + 86_400_000).toISOString(),
  })

  if (result.outcome !== 'created') throw new Error(`not attached: ${JSON.stringify(result)}`)
  await report(house, payment, status)
  return payment
}

/** The provider reports a status of the payment; what follows is left, as where it fails. */
export function report(
  house: House,
  payment: string,
  status: PaymentState,
  more: { amount_charged?: number } = {},
) {
  const type = STATUS_EVENTS[status] ?? `payment.${status}`
  return takeInUnfinished(house.owner, {
    workspace: house.workspace,
    provider: 'sandbox',
    endpoint: house.keys.paymentEndpoint,
    content: [],
    event: newId('evt'),
    type,
    payload: { type },
    payment: { id: payment, amount: 2_999, currency: 'eur', refs: [], ...more },
    status,
    at: new Date().toISOString(),
  })
}
