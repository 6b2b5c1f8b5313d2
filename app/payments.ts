import { callIn } from '../db/call-in-transaction.ts'
import { readPayment, readRefund } from '../db/from-ledger.ts'
import { type RequestIdentity, writeOnce } from '../db/idempotency.ts'
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
import { Refused, refusalSentence, refuse } from '../domain/refusal.ts'
import { callAsRun } from './call-as-run.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { missing, notFound } from './refusals.ts'
import { retryOnConflict } from './retry-on-conflict.ts'

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
      writeOnce<PaymentResult | undefined>(pool, request, {
        resource: payment,
        first: (tx) => callIn(tx, 'payment_replay_award', [workspace, payment, at]),
        again: async () => undefined,
        isNo: (result) =>
          result?.refusal !== undefined || ['missing', 'open'].includes(result?.outcome ?? ''),
      }),
  }
}

type PaymentContext = { readonly commands: ReturnType<typeof paymentCommands> }

/** A row as a request's command left it; `replayed`: as it is now, where an earlier request with the key was obeyed. */
type Outcome<Row> = { readonly row: Row; readonly replayed: boolean }

/** Creates a sandbox payment for a request, with the discounts and the store credit it names; throws the ledger's refusal. */
export async function createPayment(
  { commands }: PaymentContext,
  command: NewPayment,
): Promise<Outcome<PaymentRow>> {
  return paymentOf(await retryOnConflict(() => commands.createPayment(command)))
}

/**
 * Moves a sandbox payment to its end for a request; one that has ended so already is answered as it is, one that
 * has ended otherwise is refused (resource_changed).
 */
export async function endPayment(
  { commands }: PaymentContext,
  command: MovePayment,
  request: RequestIdentity,
): Promise<Outcome<PaymentRow>> {
  const result = await retryOnConflict(() => commands.movePayment(command, request))
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
): Promise<Outcome<RefundRow>> {
  const result = await retryOnConflict(() => commands.createRefund(command))
  const { refusal, refund, outcome } = result
  if (refusal?.code === 'resource_missing') return missing('payment', command.payment)
  if (refusal !== undefined) throw new Refused(refusalSentence(refusal))
  if (refund === undefined) throw new Error(`${outcome} without a refund`)
  return { row: readRefund(refund), replayed: outcome === 'replayed' }
}

/** Awards a completed payment's points again for a request, by its members as they are now. */
export async function replayAward(
  { commands }: PaymentContext,
  command: PaymentMoment,
  request: RequestIdentity,
): Promise<{ readonly replayed: boolean }> {
  const { value: result, replayed } = await retryOnConflict(() =>
    commands.replayAward(request, command),
  )
  if (result?.outcome === 'missing') return notFound('payment', command.payment)
  if (result?.refusal !== undefined) throw new Refused(refusalSentence(result.refusal))
  if (result?.outcome === 'open') {
    const status = result.payment?.status
    refuse('resource_changed', `The payment is ${status}: only a completed one earns.`, {
      fields: { status },
    })
  }
  return { replayed }
}

function paymentOf({ outcome, payment, refusal }: PaymentResult): Outcome<PaymentRow> {
  if (refusal !== undefined) throw new Refused(refusalSentence(refusal))
  if (payment === undefined) throw new Error(`${outcome} without a payment`)
  return { row: readPayment(payment), replayed: outcome === 'replayed' }
}
