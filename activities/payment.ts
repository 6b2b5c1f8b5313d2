import { call } from '../db/call.ts'
import {
  insertPayment,
  type MovePayment,
  movePayment,
  type NewPayment,
  type PaymentResult,
  type ReceivedEvent,
  receivePaymentEvent,
} from '../db/payments.ts'
import { newId } from '../domain/ids.ts'
import type { Dependencies } from './dependencies.ts'
import { tellWorkflows } from './tell-workflows.ts'

/** What a payment's run needs to know of it. */
export type PaymentState = {
  readonly found: boolean
  readonly status: string
  readonly expiresAt: string | null
}

type Who = { workspace: string; payment: string /** ISO 8601 */; at: string }

export type PaymentActivities = ReturnType<typeof paymentActivities>

/** The writers of payments. Those that change a status tell the workflows that wait for it, after the commit. */
export function paymentActivities({ pool, engine }: Dependencies) {
  const told = async (workspace: string, result: PaymentResult): Promise<PaymentResult> => {
    await tellWorkflows(engine, workspace, result)
    return result
  }

  return {
    /** Run by the API: creates a sandbox payment and goes on as its webhook does. */
    createPayment: async (payment: NewPayment) =>
      told(payment.workspace, await insertPayment(pool, payment)),

    /** Run by the API: confirm and cancel. */
    movePayment: async (move: MovePayment) => told(move.workspace, await movePayment(pool, move)),

    /** Run by the API: one verified provider event, kept before it is answered. */
    receivePayment: async (event: ReceivedEvent) =>
      told(event.workspace, await receivePaymentEvent(pool, event)),

    expirePayment: async ({ workspace, payment, at }: Who): Promise<PaymentState> => {
      const move = { workspace, payment, status: 'expired' as const, event: newId('evt'), at }
      return stateOf(await told(workspace, await movePayment(pool, move)))
    },

    /** Everything that follows from the payment's waiting events; then they are processed. */
    processPayment: async ({ workspace, payment, at }: Who): Promise<PaymentState> =>
      stateOf(await call<PaymentResult>(pool, 'payment_processed', [workspace, payment, at])),
  }
}

function stateOf({ payment }: PaymentResult): PaymentState {
  if (!payment) return { found: false, status: 'missing', expiresAt: null }
  return { found: true, status: payment.status, expiresAt: payment.expires_at }
}
