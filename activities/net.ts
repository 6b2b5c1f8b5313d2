import { overdueTierReviews } from '../db/account-changes.ts'
import {
  expiredPayments,
  forgetKeys,
  maturingEarnings,
  netClock,
  overdueRedemptions,
  replayPayment,
  unprocessedPayments,
} from '../db/net.ts'
import type { Dependencies } from './dependencies.ts'
import { paymentActivities } from './payment.ts'
import { redemptionActivities } from './redemption.ts'
import { tellPaymentRun, tellRedemptions } from './tell-workflows.ts'
import { tierActivities } from './tier.ts'

// What is late by less than this has its own timer still on the way.
const GRACE_MS = 120_000
// One run mends at most so many of a kind; the next minute takes the rest.
const BATCH = 500
const KEY_LIFETIME_MS = 24 * 3_600_000

export type NetFindings = {
  redemptions: number
  payments: number
  inbox: number
  earnings: number
  tiers: number
}
export type NetActivities = ReturnType<typeof netActivities>

/** Finds what should not be there, and mends it by the activities that should have. Counts what it finds. */
export function netActivities(
  dependencies: Dependencies & { found: (kind: keyof NetFindings, count: number) => void },
) {
  const { pool, engine, found } = dependencies
  const { releaseDueRedemption } = redemptionActivities(dependencies)
  const { expirePayment, processPayment } = paymentActivities(dependencies)
  const { reviewTier } = tierActivities(dependencies)

  return {
    mendRedemptions: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const overdue = await overdueRedemptions(pool, before, BATCH)
      for (const { workspace, id } of overdue)
        await releaseDueRedemption({ workspace, redemption: id, at: now })
      found('redemptions', overdue.length)
      return overdue.length
    },

    mendPayments: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const expired = await expiredPayments(pool, before, BATCH)
      for (const { workspace, payment } of expired)
        await expirePayment({ workspace, payment, at: now })
      found('payments', expired.length)
      return expired.length
    },

    mendInbox: async (): Promise<number> => {
      const { before } = await netClock(pool, GRACE_MS)
      const waiting = await unprocessedPayments(pool, before, BATCH)
      for (const { workspace, payment } of waiting) {
        const current = await replayPayment(pool, workspace, payment)
        await tellRedemptions(engine, workspace, current)
        await tellPaymentRun(engine, workspace, current)
      }
      found('inbox', waiting.length)
      return waiting.length
    },

    mendTiers: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const overdue = await overdueTierReviews(pool, before, BATCH)
      for (const { workspace, id } of overdue) await reviewTier({ workspace, account: id, at: now })
      found('tiers', overdue.length)
      return overdue.length
    },

    mendEarnings: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const late = await maturingEarnings(pool, before, BATCH)
      for (const { workspace, source } of late)
        await processPayment({ workspace, payment: source, at: now })
      found('earnings', late.length)
      return late.length
    },

    forgetIdempotencyKeys: async (): Promise<number> => forgetKeys(pool, KEY_LIFETIME_MS),
  }
}
