/** The workflow types of the worker's bundle. */
export { accountExpiry } from './account-expiry.ts'
export { bulkRun } from './bulk.ts'
export { expiryBatch } from './expiry-batch.ts'
export { ledgerTotals, liabilitySnapshot } from './liability.ts'
export { net } from './net.ts'
export { payment } from './payment.ts'
export { redemption } from './redemption.ts'
