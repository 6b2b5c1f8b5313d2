import { callIn } from '../db/call-in-transaction.ts'
import { type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import {
  insertPayment,
  type MovePayment,
  movePayment,
  movePaymentAsked,
  type NewPayment,
  type PaymentResult,
  type ReceivedEvent,
  takeInPaymentEvent,
} from '../db/payments.ts'
import { insertRefund, type NewRefund } from '../db/refunds.ts'
import { newId } from '../domain/ids.ts'
import { callOfActivity } from './call-of-activity.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'

/** What a run or the reconciler finds to be done. `at`: ISO 8601, its time. */
export type PaymentMoment = { workspace: string; payment: string; at: string }

/** The writers of payments: each is one ledger function, which does all that follows in its own transaction. */
export function paymentCommands(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
  const { pool, onFailure = failuresToStandardError } = dependencies

  /** What could not follow in the request is the payment's workflow's to do; its outbox row is written. */
  const reported = <Result extends PaymentResult>(workspace: string, result: Result): Result => {
    const { failure, subject = '' } = result
    if (failure !== undefined) {
      const error = Object.assign(new Error(failure.message), failure)
      onFailure({ kind: 'payment', error, about: { workspace, payment: subject } })
    }
    return result
  }

  return {
    /** Everything that follows from the payment's waiting events, and what has matured. */
    processPayment: ({ workspace, payment, at }: PaymentMoment): Promise<PaymentResult> =>
      callOfActivity(pool, 'payment_process', [workspace, payment, at]),

    /** Creates a sandbox payment. */
    createPayment: async (payment: NewPayment) =>
      reported(payment.workspace, await insertPayment(pool, payment)),

    /** Confirm and cancel. A repeat of the request's key is answered and changes nothing. */
    movePayment: async (move: MovePayment, request?: RequestIdentity) =>
      reported(
        move.workspace,
        await (request ? movePaymentAsked(pool, move, request) : movePayment(pool, move)),
      ),

    /** One verified provider event. */
    receivePayment: async (event: ReceivedEvent) =>
      reported(event.workspace, await takeInPaymentEvent(pool, event)),

    /** Run by the payment's own run, or by the reconciler where that was lost. */
    expirePayment: async ({ workspace, payment, at }: PaymentMoment): Promise<PaymentResult> => {
      const result = await callOfActivity<PaymentResult>(pool, 'payment_move', [
        workspace,
        payment,
        'expired',
        newId('evt'),
        at,
      ])
      return reported(workspace, result)
    },

    /** A sandbox refund. */
    createRefund: async (refund: NewRefund) =>
      reported(refund.workspace, await insertRefund(pool, refund)),

    /** The manual award, once for the request's key. Its pending earnings wait in the payment's run. */
    replayAward: (request: RequestIdentity, { workspace, payment, at }: PaymentMoment) =>
      writeOnce<PaymentResult | undefined>(pool, request, {
        resource: payment,
        first: (tx) => callIn(tx, 'payment_replay_award', [workspace, payment, at]),
        again: async () => undefined,
        isNo: (result) =>
          result?.refusal !== undefined || ['missing', 'open'].includes(result?.outcome ?? ''),
      }),
  }
}
