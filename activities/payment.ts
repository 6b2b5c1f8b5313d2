import type { Dependencies } from '../app/dependencies.ts'
import { type PaymentMoment, paymentCommands } from '../app/payments.ts'
import type { PaymentResult } from '../db/results/payment.ts'

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

export type PaymentActivities = ReturnType<typeof paymentActivities>

/** What a payment's workflow does. */
export function paymentActivities(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
  const { processPayment, expirePayment } = paymentCommands(dependencies)
  return {
    processPayment: async (moment: PaymentMoment) => stateOf(await processPayment(moment)),
    expirePayment: async (moment: PaymentMoment) => stateOf(await expirePayment(moment)),
  }
}

function stateOf(result: PaymentResult): PaymentState {
  const { payment, subject, outcome, matures_at: maturesAt = null, failure } = result
  const left = { maturesAt, unfinished: failure !== undefined }
  if (!payment) return { found: subject !== undefined, status: outcome, expiresAt: null, ...left }
  return { found: true, status: payment.status, expiresAt: payment.expires_at, ...left }
}
