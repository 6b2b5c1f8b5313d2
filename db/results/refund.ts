import type { Snapshot } from '../snapshot.ts'
import type { PaymentResult } from './payment.ts'

export type RefundResult = PaymentResult & { refund?: Snapshot }
