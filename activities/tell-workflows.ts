import type { PaymentResult } from '../db/payments.ts'
import type { Engine } from '../temporal/engine.ts'
import { signalPayment } from '../temporal/payment.ts'
import { signalPaymentOutcome } from '../temporal/redemption.ts'

const FAILED = ['failed', 'canceled', 'expired']

/**
 * Tells each attached redemption that its payment has ended, well or badly. One that is applied has
 * heard it: a refund would otherwise begin another run of it, with nothing to do.
 */
export async function tellRedemptions(
  engine: Engine,
  workspace: string,
  { payment, redemptions = [] }: PaymentResult,
): Promise<void> {
  if (!payment || !hasEnded(payment)) return
  const unheard = redemptions.filter(({ status }) => status !== 'applied')
  await Promise.all(
    unheard.map((redemption) => signalPaymentOutcome(engine, workspace, redemption, payment)),
  )
}

/** Hands what follows from a payment's events to its run, which goes on until it is done. */
export async function tellPaymentRun(
  engine: Engine,
  workspace: string,
  { payment, subject }: PaymentResult,
): Promise<void> {
  const id = payment?.id ?? subject
  if (id === undefined) return
  await signalPayment(engine, { workspace, payment: id, expiresAt: payment?.expires_at ?? null })
}

/** Whether a payment has come to its end, well or badly. */
export function hasEnded({ status }: { status: string }): boolean {
  return status === 'completed' || FAILED.includes(status)
}
