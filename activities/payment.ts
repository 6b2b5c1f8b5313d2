import { call } from '../db/call.ts'
import { callIn } from '../db/call-in-transaction.ts'
import { type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import {
  dryRunPayment,
  insertPayment,
  type MovePayment,
  movePayment,
  movePaymentAsked,
  type NewPayment,
  type PaymentResult,
  type ReceivedEvent,
  takeInPaymentEvent,
} from '../db/payments.ts'
import { reverseRedemption } from '../db/redemptions.ts'
import { insertRefund, type NewRefund } from '../db/refunds.ts'
import { newId } from '../domain/ids.ts'
import type { Dependencies } from './dependencies.ts'
import { failuresToStandardError } from './failures.ts'
import { followUp } from './follow-ups.ts'
import { hasEnded, tellPaymentRun, tellRedemptions } from './tell-workflows.ts'

/** What a payment's run needs to know of it. */
export type PaymentState = {
  readonly found: boolean
  readonly status: string
  readonly expiresAt: string | null
  /** ISO 8601; when its next pending earning is credited. */
  readonly maturesAt?: string | null
}

type Who = { workspace: string; payment: string /** ISO 8601 */; at: string }

export type PaymentActivities = ReturnType<typeof paymentActivities>

/** The writers of payments. Those that change one go on, after the commit, with what follows from it. */
export function paymentActivities(dependencies: Dependencies) {
  const { pool, engine, onFailure = failuresToStandardError } = dependencies

  /**
   * Everything that follows from the payment's waiting events, and what has matured; then they are
   * processed. Redemptions that a refund asked to return are reversed before that.
   */
  const processPayment = async (who: Who): Promise<PaymentState> => {
    const { workspace, payment, at } = who
    return settled(
      who,
      await call<PaymentResult>(pool, 'payment_process', [workspace, payment, at]),
    )
  }

  /** What the database leaves to us once a payment's events are worked off. */
  const settled = async (who: Who, result: PaymentResult): Promise<PaymentState> => {
    const { workspace, payment, at } = who
    await followUp(
      result.welcomes ?? [],
      (subject) => tellPaymentRun(engine, workspace, { outcome: 'processed', subject }),
      { kind: 'welcome_start', about: { workspace, payment }, onFailure },
    )
    if (!result.returns?.length) return stateOf(result)
    for (const { refund, redemption } of result.returns) {
      const operation = `refund:${refund}:${redemption}`
      const whole = { points: null, quantity: null, refund: null }
      const asked = { workspace, redemption, operation, fingerprint: operation, at }
      await reverseRedemption(pool, { ...asked, ...whole, reason: 'refund' })
    }
    const after = await call<PaymentResult>(pool, 'payment_process', [workspace, payment, at])
    if (after.returns?.length) throw new Error(`payment ${payment} still has redemptions to return`)
    return stateOf(after)
  }

  /**
   * After the commit: attached redemptions hear of the payment's end, and what follows from its
   * events is done at once, so that points are there when the request is answered. What is left is
   * the run's: points that mature later, a failure (it retries without limit), and its own end where
   * it is `armed` to the payment's expiry. The inbox row stays unprocessed until one of them is done.
   */
  const goOn = async (
    change: { workspace: string; at: string },
    result: PaymentResult,
    armed: boolean,
  ) => {
    const { workspace, at } = change
    const subject = result.payment?.id ?? result.subject
    await tellRedemptions(engine, workspace, result)
    if (subject === undefined || !result.waiting) return result
    const who = { workspace, payment: subject, at }
    const state = await followed(who, result).catch((error: unknown) => {
      onFailure({ kind: 'payment', error, about: { workspace, payment: subject } })
      return undefined
    })
    const isOver = result.payment === undefined || hasEnded(result.payment)
    if (state === undefined || state.maturesAt || (armed && isOver)) {
      await tellPaymentRun(engine, workspace, result)
    }
    return result
  }

  const followed = async (who: Who, { processed, failure }: PaymentResult) => {
    if (failure !== undefined) throw Object.assign(new Error(failure.message), failure)
    return processed === undefined ? processPayment(who) : settled(who, processed)
  }

  return {
    processPayment,

    /** Run by the API: creates a sandbox payment and goes on as its webhook does. */
    createPayment: async (payment: NewPayment) =>
      goOn(payment, await insertPayment(pool, payment), payment.status === 'requires_payment'),

    /** Run by the API before it starts the run: the answer that needs none, a refusal or an earlier payment. */
    answerPayment: async (payment: NewPayment): Promise<PaymentResult | undefined> => {
      const result = await dryRunPayment(pool, payment)
      return result.outcome === 'created' ? undefined : goOn(payment, result, false)
    },

    /** Run by the API: confirm and cancel. A repeat of the request's key is answered and changes nothing. */
    movePayment: async (move: MovePayment, request?: RequestIdentity) => {
      const asked = request && (await movePaymentAsked(pool, move, request))
      return goOn(move, asked ?? (await movePayment(pool, move)), true)
    },

    /** Run by the API: one verified provider event, kept before it is answered. */
    receivePayment: async (event: ReceivedEvent) => {
      const result = await takeInPaymentEvent(pool, event)
      const { workspace } = event
      return goOn({ workspace, at: result.at }, result, Boolean(result.payment?.expires_at))
    },

    /** Run by the payment's own run, or by the net where that was lost. */
    expirePayment: async ({ workspace, payment, at }: Who): Promise<PaymentState> => {
      const move = { workspace, payment, status: 'expired' as const, event: newId('evt'), at }
      return stateOf(await goOn(move, await movePayment(pool, move), false))
    },

    /** Run by the API: a sandbox refund, which goes on as its webhook does. */
    createRefund: async (refund: NewRefund) => {
      const result = await insertRefund(pool, refund)
      await goOn(refund, result, false)
      return result
    },

    /** Run by the API: the manual award, once for the request's key. Its pending earnings wait in the payment's run. */
    replayAward: async (request: RequestIdentity, award: Who) => {
      const { workspace, payment, at } = award
      const once = await writeOnce<PaymentResult | undefined>(pool, request, {
        resource: payment,
        first: (tx) => callIn(tx, 'payment_replay_award', [workspace, payment, at]),
        again: async () => undefined,
        isNo: (result) =>
          result?.refusal !== undefined || ['missing', 'open'].includes(result?.outcome ?? ''),
      })
      if (once.value !== undefined) await goOn(award, once.value, false)
      return once
    },
  }
}

function stateOf({
  payment,
  subject,
  outcome,
  matures_at: maturesAt = null,
}: PaymentResult): PaymentState {
  if (!payment) return { found: subject !== undefined, status: outcome, expiresAt: null, maturesAt }
  return { found: true, status: payment.status, expiresAt: payment.expires_at, maturesAt }
}
