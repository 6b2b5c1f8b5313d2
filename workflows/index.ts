/** The workflow types of the worker's bundle. */
export { net } from './net.ts'
export { payment } from './payment.ts'
export { redemption } from './redemption.ts'
export { tierReview } from './tier-review.ts'
export { webhook } from './webhook.ts'
