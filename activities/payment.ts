import { asyncLocalStorage } from '@temporalio/activity'
import { call, callOfRun } from '../db/call.ts'
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
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'

/** What a payment's run needs to know of it. */
export type PaymentState = {
  readonly found: boolean
  readonly status: string
  readonly expiresAt: string | null
  /** ISO 8601; when its next pending earning is credited. */
  readonly maturesAt?: string | null
  /** Something that follows from its events could not be done. */
  readonly unfinished?: boolean
}

type Who = { workspace: string; payment: string /** ISO 8601 */; at: string }

export type PaymentActivities = ReturnType<typeof paymentActivities>

/** The writers of payments: each is one ledger function, which does all that follows in its own transaction. */
export function paymentActivities(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
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
    processPayment: async ({ workspace, payment, at }: Who): Promise<PaymentState> =>
      stateOf(await callOnPayment(pool, 'payment_process', [workspace, payment, at])),

    /** Run by the API: creates a sandbox payment. */
    createPayment: async (payment: NewPayment) =>
      reported(payment.workspace, await insertPayment(pool, payment)),

    /** Run by the API: confirm and cancel. A repeat of the request's key is answered and changes nothing. */
    movePayment: async (move: MovePayment, request?: RequestIdentity) =>
      reported(
        move.workspace,
        await (request ? movePaymentAsked(pool, move, request) : movePayment(pool, move)),
      ),

    /** Run by the API: one verified provider event. */
    receivePayment: async (event: ReceivedEvent) =>
      reported(event.workspace, await takeInPaymentEvent(pool, event)),

    /** Run by the payment's own run, or by the reconciler where that was lost. */
    expirePayment: async ({ workspace, payment, at }: Who): Promise<PaymentState> => {
      const result = await callOnPayment(pool, 'payment_move', [
        workspace,
        payment,
        'expired',
        newId('evt'),
        at,
      ])
      return stateOf(reported(workspace, result))
    },

    /** Run by the API: a sandbox refund. */
    createRefund: async (refund: NewRefund) =>
      reported(refund.workspace, await insertRefund(pool, refund)),

    /** Run by the API: the manual award, once for the request's key. Its pending earnings wait in the payment's run. */
    replayAward: (request: RequestIdentity, { workspace, payment, at }: Who) =>
      writeOnce<PaymentResult | undefined>(pool, request, {
        resource: payment,
        first: (tx) => callIn(tx, 'payment_replay_award', [workspace, payment, at]),
        again: async () => undefined,
        isNo: (result) =>
          result?.refusal !== undefined || ['missing', 'open'].includes(result?.outcome ?? ''),
      }),
  }
}

/** Calls a ledger function of one payment; in an activity as the run that it is of. */
function callOnPayment(
  pool: Dependencies['pool'],
  name: string,
  args: [workspace: string, payment: string, ...unknown[]],
): Promise<PaymentResult> {
  const run = asyncLocalStorage.getStore()?.info.workflowExecution?.workflowId
  return run === undefined ? call(pool, name, args) : callOfRun(pool, run, name, args)
}

function stateOf(result: PaymentResult): PaymentState {
  const { payment, subject, outcome, matures_at: maturesAt = null, failure } = result
  const left = { maturesAt, unfinished: failure !== undefined }
  if (!payment) return { found: subject !== undefined, status: outcome, expiresAt: null, ...left }
  return { found: true, status: payment.status, expiresAt: payment.expires_at, ...left }
}
