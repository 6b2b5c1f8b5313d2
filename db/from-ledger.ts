import { codeBatch, payment, ptx, redemption, refund } from './schema/index.ts'
import { fromSnapshot, type Snapshot } from './snapshot.ts'

/** The rows behind what the ledger functions answer. */
export const readRedemption = (snapshot: Snapshot) => fromSnapshot(redemption, snapshot)
export const readPayment = (snapshot: Snapshot) => fromSnapshot(payment, snapshot)
export const readTransaction = (snapshot: Snapshot) => fromSnapshot(ptx, snapshot)
export const readRefund = (snapshot: Snapshot) => fromSnapshot(refund, snapshot)
export const readCodeBatch = (snapshot: Snapshot) => fromSnapshot(codeBatch, snapshot)
