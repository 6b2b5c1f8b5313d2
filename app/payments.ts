import { callIn } from '../db/call-in-transaction.ts'
import { readPayment, readRefund } from '../db/from-ledger.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import {
  insertPayment,
  type MovePayment,
  movePayment,
  movePaymentAsked,
  type NewPayment,
  type PaymentResult,
  type PaymentRow,
  type ReceivedEvent,
  takeInPaymentEvent,
} from '../db/payments.ts'
import { insertRefund, type NewRefund, type RefundRow } from '../db/refunds.ts'
import { newId } from '../domain/ids.ts'
import { refusalSentence } from '../domain/ledger-refusal.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import { callAsRun } from './call-as-run.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { idempotent, type Written } from './idempotent.ts'
import { missing, notFound } from './refusals.ts'

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
      callAsRun(pool, 'payment_process', [workspace, payment, at]),

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
      const result = await callAsRun<PaymentResult>(pool, 'payment_move', [
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
      idempotent(pool, request, {
        noun: 'payment',
        id: payment,
        write: async (tx) => {
          const args = [workspace, payment, at]
          refuseAward(await callIn<PaymentResult>(tx, 'payment_replay_award', args), payment)
          return payment
        },
        find: async (_db, _workspace, awarded) => awarded,
      }),
  }
}

type PaymentContext = { readonly commands: ReturnType<typeof paymentCommands> }

/** Creates a sandbox payment for a request, with the discounts and the store credit it names; throws the ledger's refusal. */
export async function createPayment(
  { commands }: PaymentContext,
  command: NewPayment,
): Promise<Written<PaymentRow>> {
  return paymentOf(await commands.createPayment(command))
}

/**
 * Moves a sandbox payment to its end for a request; one that has ended so already is answered as it is, one that
 * has ended otherwise is refused (resource_changed).
 */
export async function endPayment(
  { commands }: PaymentContext,
  command: MovePayment,
  request: RequestIdentity,
): Promise<Written<PaymentRow>> {
  const result = await commands.movePayment(command, request)
  const { refusal } = result
  if (refusal?.code === 'resource_missing') return notFound('payment', command.payment)
  if (refusal?.code === 'resource_changed') {
    const { status } = refusal
    refuse('resource_changed', `The payment is ${status} already.`, { fields: { status } })
  }
  return paymentOf(result)
}

/** Refunds a sandbox payment for a request. */
export async function createRefund(
  { commands }: PaymentContext,
  command: NewRefund,
): Promise<Written<RefundRow>> {
  const result = await commands.createRefund(command)
  const { refusal, refund, outcome } = result
  if (refusal?.code === 'resource_missing') return missing('payment', command.payment)
  if (refusal !== undefined) throw new Refused(refusalSentence(refusal))
  if (refund === undefined) throw new Error(`${outcome} without a refund`)
  return { row: readRefund(refund), replayed: outcome === 'replayed' }
}

function refuseAward({ outcome, refusal, payment }: PaymentResult, id: string): void {
  if (outcome === 'missing') notFound('payment', id)
  if (refusal !== undefined) throw new Refused(refusalSentence(refusal))
  if (outcome === 'open') {
    const status = payment?.status
    refuse('resource_changed', `The payment is ${status}: only a completed one earns.`, {
      fields: { status },
    })
  }
}

function paymentOf({ outcome, payment, refusal }: PaymentResult): Written<PaymentRow> {
  if (refusal !== undefined) throw new Refused(refusalSentence(refusal))
  if (payment === undefined) throw new Error(`${outcome} without a payment`)
  return { row: readPayment(payment), replayed: outcome === 'replayed' }
}
