import { defineSignal, defineUpdate } from '@temporalio/workflow'
import type { Refusal } from '../domain/refusal.ts'
import { SIGNAL, UPDATE } from '../temporal/names.ts'

/** What a row says at one time; of two, the one with the higher revision is newer. */
export type Row<Facts> = { readonly revision: number; readonly facts: Facts }

/** The row has changed: this is what it says now. The one signal of every workflow. */
export const rowChanged = defineSignal<[Row<unknown>]>(SIGNAL.rowChanged)

/** Something of the account may expire earlier than its run knows. */
export const expiryChanged = defineSignal(SIGNAL.expiryChanged)
/** An import or reversal was paused or resumed; its row says which. */
export const bulkChanged = defineSignal(SIGNAL.bulkChanged)

/** Sent by signalWithStart, by which a delayed run wakes (a plain signal does not wake it). */
export const created = defineSignal(SIGNAL.created)
export const paymentCompleted = defineSignal<[PaymentMessage]>(SIGNAL.paymentCompleted)
export const paymentFailed = defineSignal<[PaymentMessage]>(SIGNAL.paymentFailed)
/** Something about this payment is in the inbox. */
export const paymentTold = defineSignal(SIGNAL.paymentTold)

/** The tier could fall at this date already (ISO 8601). */
export const reviewMoved = defineSignal<[string]>(SIGNAL.reviewMoved)
/** The program's tiers were changed once more. */
export const tiersChanged = defineSignal(SIGNAL.tiersChanged)
/** Something is due at this endpoint. */
export const deliveriesDue = defineSignal(SIGNAL.deliveriesDue)

type PaymentMessage = { readonly payment: string; readonly status: string }

/** The operation id makes a repeat of the message find the first one's outcome. */
export type Operation = { readonly operation: string; readonly fingerprint: string }

export type CancelMessage = Operation & { readonly reason: string }
type ExtendMessage = Operation & { readonly minutes: number }
type ReverseMessage = Operation & {
  readonly reason: string
  /** A part of it; neither: all that is left. */
  readonly points?: number
  readonly quantity?: number
  /** The payment is refunded what the discount took off it, under these ids. */
  readonly refund?: { readonly id: string; readonly event: string }
}
type FulfillMessage = Operation & {
  readonly tracking: string | null
  readonly carrier: string | null
  /** Items; all that are left without it. */
  readonly quantity?: number
}

/** The row has the outcome; the answer says only whether the message was obeyed. */
export type MessageAnswer = { readonly replayed: boolean; readonly refusal?: Refusal }

export const cancel = defineUpdate<MessageAnswer, [CancelMessage]>(UPDATE.cancel)
/** The till's sale went through: no payment is to be waited for. */
export const confirm = defineUpdate<MessageAnswer, [Operation]>(UPDATE.confirm)
export const extend = defineUpdate<MessageAnswer, [ExtendMessage]>(UPDATE.extend)
export const reverse = defineUpdate<MessageAnswer, [ReverseMessage]>(UPDATE.reverse)
export const fulfill = defineUpdate<MessageAnswer, [FulfillMessage]>(UPDATE.fulfill)
