import type { PaymentResult } from '../db/payments.ts'
import type { Engine } from '../temporal/engine.ts'
import { signalPayment } from '../temporal/payment.ts'
import { signalPaymentOutcome } from '../temporal/redemption.ts'

const FAILED = ['failed', 'canceled', 'expired']

/** Signals a payment's run and, where the payment has ended, each attached redemption's. */
export async function tellWorkflows(engine: Engine, workspace: string, result: PaymentResult): Promise<void> {
  const { payment, subject, redemptions = [], waiting } = result
  if (!payment && subject !== undefined && waiting) {
    await signalPayment(engine, { workspace, payment: subject, expiresAt: null })
  }
  if (!payment) return
  const ended = payment.status === 'completed' || FAILED.includes(payment.status)
  await Promise.all([
    waiting && signalPayment(engine, { workspace, payment: payment.id, expiresAt: payment.expires_at }),
    ...(ended ? redemptions : []).map((redemption) => signalPaymentOutcome(engine, workspace, redemption, payment)),
  ])
}
