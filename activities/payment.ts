import { call } from '../db/call.ts'
import { newId } from '../domain/ids.ts'
import {
  insertPayment, type MovePayment, movePayment, type NewPayment, type PaymentResult, type ReceivedEvent,
  receivePaymentEvent,
} from '../db/payments.ts'
import { insertRefund, type NewRefund } from '../db/refunds.ts'
import { signalPayment } from '../temporal/payment.ts'
import type { Dependencies } from './dependencies.ts'
import { tellWorkflows } from './tell-workflows.ts'

/** What a payment's run needs to know of it. */
export type PaymentState = {
  readonly found: boolean
  readonly status: string
  readonly expiresAt: string | null
  /** ISO 8601; when its next pending earning is credited. */
  readonly maturesAt?: string | null
}

type Who = { workspace: string; payment: string; /** ISO 8601 */ at: string }

export type PaymentActivities = ReturnType<typeof paymentActivities>

/** The writers of payments. Those that change a status tell the workflows that wait for it, after the commit. */
export function paymentActivities({ pool, engine }: Dependencies) {
  const told = async (workspace: string, result: PaymentResult): Promise<PaymentResult> => {
    await tellWorkflows(engine, workspace, result)
    return result
  }

  return {
    /** Run by the API: creates a sandbox payment and goes on as its webhook does. */
    createPayment: async (payment: NewPayment) => told(payment.workspace, await insertPayment(pool, payment)),

    /** Run by the API: confirm and cancel. */
    movePayment: async (move: MovePayment) => told(move.workspace, await movePayment(pool, move)),

    /** Run by the API: one verified provider event, kept before it is answered. */
    receivePayment: async (event: ReceivedEvent) => told(event.workspace, await receivePaymentEvent(pool, event)),

    expirePayment: async ({ workspace, payment, at }: Who): Promise<PaymentState> => {
      const move = { workspace, payment, status: 'expired' as const, event: newId('evt'), at }
      return stateOf(await told(workspace, await movePayment(pool, move)))
    },

    /**
     * Everything that follows from the payment's waiting events, and what has matured; then they are
     * processed. Redemptions that a refund asked to return are reversed before that.
     */
    processPayment: async ({ workspace, payment, at }: Who): Promise<PaymentState> => {
      const process = () => call<PaymentResult>(pool, 'payment_process', [workspace, payment, at])
      const result = await process()
      for (const account of result.welcomes ?? []) {
        await signalPayment(engine, { workspace, payment: account, expiresAt: null })
      }
      if (!result.returns?.length) return stateOf(result)
      for (const { refund, redemption } of result.returns) {
        const operation = `refund:${refund}:${redemption}`
        await call(pool, 'redemption_reverse', [workspace, redemption, null, 'refund', operation, operation, at])
      }
      const after = await process()
      if (after.returns?.length) throw new Error(`payment ${payment} still has redemptions to return`)
      return stateOf(after)
    },

    /** Run by the API: a sandbox refund, which goes on as its webhook does. */
    createRefund: async (refund: NewRefund) => {
      const result = await insertRefund(pool, refund)
      await told(refund.workspace, result)
      return result
    },

    /** Run by the API: the manual award. Its pending earnings wait in the payment's run. */
    replayAward: async ({ workspace, payment, at }: Who) =>
      told(workspace, await call<PaymentResult>(pool, 'payment_replay_award', [workspace, payment, at])),
  }
}

function stateOf({ payment, subject, outcome, matures_at: maturesAt = null }: PaymentResult): PaymentState {
  if (!payment) return { found: subject !== undefined, status: outcome, expiresAt: null, maturesAt }
  return { found: true, status: payment.status, expiresAt: payment.expires_at, maturesAt }
}
