import { done, type Place } from '../db/border.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import {
  paymentCreate,
  paymentMove,
  paymentMoveRequest,
  paymentProcess,
  paymentReplayAward,
  paymentTakeIn,
  refundCreate,
} from '../db/ledger.gen.ts'
import type { PaymentRow } from '../db/payments.ts'
import type { RefundRow } from '../db/refunds.ts'
import type {
  ContentPath,
  PaymentResult,
  PaymentStatus,
  RedemptionRef,
  ReportedMore,
  ReportedPayment,
  StoreCreditRequest,
} from '../db/results/payment.ts'
import { readPayment, readRefund } from '../db/snapshot.ts'
import { newId } from '../domain/ids.ts'
import { asRun } from './as-run.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { idempotent, type Written } from './idempotent.ts'

export type NewPayment = {
  workspace: string
  payment: string
  /** Where the request carried an Idempotency-Key: what it is scoped to. */
  route: string
  key: string | null
  fingerprint: string
  amount: number
  /** lower-case ISO */
  currency: string
  customer: string | null
  metadata: Record<string, string>
  redemptions: RedemptionRef[]
  /** Taken from a member's wallet after the discounts; without an amount, all it has. */
  storeCredit?: StoreCreditRequest | null
  /** How far its card takes it at once. */
  status: PaymentStatus
  awaitsConfirmation: boolean
  event: string
  /** ISO 8601; the database's own time without it. */
  at?: string
  /** ISO 8601; a day later without it. */
  expiresAt?: string
}

export type MovePayment = {
  workspace: string
  payment: string
  status: 'completed' | 'failed' | 'canceled' | 'expired'
  event: string
  /** ISO 8601; the database's own time without it. */
  at?: string
}

export type ReceivedEvent = {
  workspace: string
  provider: string
  /** Whose secret signed it: its ids are known by it, and it moves nobody else's payments. */
  endpoint: string
  event: string
  type: string
  payload: Record<string, unknown>
  /** Where the payload says what happened, as against how it was delivered: a repeat that differs there is a conflict. */
  content: readonly ContentPath[]
  payment: ReportedPayment | null
  /** What the event's type says of the payment; null where it says nothing. */
  status: PaymentStatus | null
  /** ISO 8601; the database's own time where it says none. */
  at?: string
  more?: ReportedMore
}

export type NewRefund = {
  workspace: string
  refund: string
  payment: string
  /** Minor units; null: all that is left. */
  amount: number | null
  reason: string | null
  returnRedemption: boolean
  /** Minor units to give back to the wallet; true: all of it. */
  storeCredit: number | true
  metadata: Record<string, string>
  route: string
  key: string | null
  fingerprint: string
  event: string
  /** ISO 8601; the database's own time without it. */
  at?: string
}

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
    processPayment: ({ workspace, payment, at }: PaymentMoment) =>
      paymentProcess.answer(asRun(pool), { workspace, id: payment, at }),

    /** Creates a sandbox payment. */
    createPayment: async (payment: NewPayment) =>
      reported(payment.workspace, await insertPayment(pool, payment)),

    /** Confirm and cancel. A repeat of the request's key is answered and changes nothing. */
    movePayment: async (move: MovePayment, request?: RequestIdentity) => {
      const args = { ...move, id: move.payment, at: move.at ?? null }
      const result = request
        ? await paymentMoveRequest.answer(pool, { ...args, ...request })
        : await paymentMove.answer(pool, args)
      return reported(move.workspace, result)
    },

    /** One verified provider event. */
    receivePayment: async (event: ReceivedEvent) =>
      reported(event.workspace, await takeInPaymentEvent(pool, event)),

    /** Run by the payment's own run, or by the reconciler where that was lost. */
    expirePayment: async ({ workspace, payment, at }: PaymentMoment) => {
      const move = { workspace, id: payment, status: 'expired', event: newId('evt'), at } as const
      return reported(workspace, await paymentMove.answer(asRun(pool), move))
    },

    /** A sandbox refund. One that is refused leaves its key free. */
    createRefund: async (refund: NewRefund) => {
      const result = await refundCreate.answer(pool, {
        ...refund,
        id: refund.refund,
        at: refund.at ?? null,
        storeCredit: refund.storeCredit === true ? ALL_CREDIT : refund.storeCredit,
      })
      return reported(refund.workspace, result)
    },

    /** The manual award, once for the request's key. Its pending earnings wait in the payment's run. */
    replayAward: (request: RequestIdentity, { workspace, payment, at }: PaymentMoment) =>
      idempotent(pool, request, {
        noun: 'payment',
        id: payment,
        write: async (tx) => {
          await paymentReplayAward(tx, { workspace, id: payment, at }, { payment })
          return payment
        },
        find: async (_db, _workspace, awarded) => awarded,
      }),
  }
}

const ALL_CREDIT = -1 // as `refund_create` has it

/** The ledger's call, with the database's times where the payment has none. */
export const insertPayment = (db: Place, payment: NewPayment) =>
  paymentCreate.answer(db, {
    ...payment,
    id: payment.payment,
    refs: payment.redemptions,
    storeCredit: payment.storeCredit ?? null,
    at: payment.at ?? null,
    expiresAt: payment.expiresAt ?? null,
  })

/** Takes a provider's event in and does what follows from it, in one transaction; see `payment_take_in`. */
export const takeInPaymentEvent = (db: Place, event: ReceivedEvent) =>
  paymentTakeIn.answer(db, { ...event, at: event.at ?? null, more: event.more ?? {} })

type PaymentContext = { readonly commands: ReturnType<typeof paymentCommands> }

/** Creates a sandbox payment for a request, with the discounts and the store credit it names; throws the ledger's refusal. */
export async function createPayment(
  { commands }: PaymentContext,
  command: NewPayment,
): Promise<Written<PaymentRow>> {
  return paymentOf(done(await commands.createPayment(command)))
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
  const { payment } = command
  return paymentOf(done(await commands.movePayment(command, request), { payment }))
}

/** Refunds a sandbox payment for a request. */
export async function createRefund(
  { commands }: PaymentContext,
  command: NewRefund,
): Promise<Written<RefundRow>> {
  const { payment } = command
  const { refund, outcome } = done(await commands.createRefund(command), { payment })
  if (refund === undefined) throw new Error(`${outcome} without a refund`)
  return { row: readRefund(refund), replayed: outcome === 'replayed' }
}

function paymentOf({ outcome, payment }: PaymentResult): Written<PaymentRow> {
  if (payment === undefined) throw new Error(`${outcome} without a payment`)
  return { row: readPayment(payment), replayed: outcome === 'replayed' }
}
