import { readPayment } from '../../db/from-ledger.ts'
import type { PaymentResult } from '../../db/payments.ts'
import { paymentObject } from '../../domain/objects/payment.ts'

/** The payment that a ledger function answered with, as the API shows it. */
export function presentResult({ payment: stored, outcome }: PaymentResult, livemode: boolean) {
  if (stored === undefined) throw new Error(`${outcome} without a payment`)
  return paymentObject(readPayment(stored), livemode)
}
