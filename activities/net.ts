import { overdueTierReviews } from '../db/account-changes.ts'
import { stalledBulks } from '../db/bulk.ts'
import { dueExpiries } from '../db/expiry.ts'
import {
  expiredPayments,
  forgetKeys,
  maturingEarnings,
  netClock,
  overdueFulfillments,
  overdueRedemptions,
  replayPayment,
  undeliveredEndpoints,
  unprocessedPayments,
} from '../db/net.ts'
import { stalledReassessments } from '../db/tier-reassessment.ts'
import { tellBulk } from '../temporal/bulk.ts'
import { isExpiryBatchRunning } from '../temporal/expiry.ts'
import { tellReassessment } from '../temporal/tier-review.ts'
import { nudgeEndpoint } from '../temporal/webhook.ts'
import type { Dependencies } from './dependencies.ts'
import { expiryActivities } from './expiry.ts'
import { fulfillmentActivities } from './fulfillment.ts'
import { paymentActivities } from './payment.ts'
import { redemptionActivities } from './redemption.ts'
import { tellPaymentRun, tellRedemptions } from './tell-workflows.ts'
import { tierActivities } from './tier.ts'
import { nudging } from './webhooks/nudge.ts'

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
  webhooks: number
  expiries: number
  bulks: number
  fulfillments: number
}
export type NetActivities = ReturnType<typeof netActivities>

/** Finds what should not be there, and mends it by the activities that should have. Counts what it finds. */
export function netActivities(
  dependencies: Dependencies & { found: (kind: keyof NetFindings, count: number) => void },
) {
  const { pool, engine, found } = dependencies
  const { releaseDueRedemption } = nudging(redemptionActivities(dependencies), dependencies.nudge)
  const { actOnOverdueFulfillment } = nudging(
    fulfillmentActivities(dependencies),
    dependencies.nudge,
  )
  const { expirePayment, processPayment } = nudging(
    paymentActivities(dependencies),
    dependencies.nudge,
  )
  const { reviewTier } = nudging(tierActivities(dependencies), dependencies.nudge)
  const { lookAtExpiry } = nudging(expiryActivities(dependencies), dependencies.nudge)

  return {
    mendRedemptions: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const overdue = await overdueRedemptions(pool, before, BATCH)
      for (const { workspace, id } of overdue)
        await releaseDueRedemption({ workspace, redemption: id, at: now })
      found('redemptions', overdue.length)
      return overdue.length
    },

    mendFulfillments: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const overdue = await overdueFulfillments(pool, before, BATCH)
      for (const { workspace, id } of overdue)
        await actOnOverdueFulfillment({ workspace, redemption: id, at: now })
      found('fulfillments', overdue.length)
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

    /** Reviews past their date, and walks over a program's members that nobody goes on with. */
    mendTiers: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const overdue = await overdueTierReviews(pool, before, BATCH)
      for (const { workspace, id } of overdue) await reviewTier({ workspace, account: id, at: now })
      const stalled = await stalledReassessments(pool, before, BATCH)
      for (const walk of stalled) await tellReassessment(engine, walk)
      found('tiers', overdue.length + stalled.length)
      return overdue.length + stalled.length
    },

    mendEarnings: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const late = await maturingEarnings(pool, before, BATCH)
      for (const { workspace, source } of late)
        await processPayment({ workspace, payment: source, at: now })
      found('earnings', late.length)
      return late.length
    },

    /** Endpoints with deliveries overdue, whose nudge was lost: counted by endpoint. */
    mendWebhooks: async (): Promise<number> => {
      const { before } = await netClock(pool, GRACE_MS)
      const waiting = await undeliveredEndpoints(pool, before, BATCH)
      for (const endpoint of waiting) await nudgeEndpoint(engine, endpoint)
      found('webhooks', waiting.length)
      return waiting.length
    },

    /** Warnings and expiries whose run was lost, with any explicit date; a batch at work is no such thing. */
    mendExpiries: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      if (await isExpiryBatchRunning(engine)) return 0
      const due = await dueExpiries(pool, before, BATCH)
      for (const { workspace, account } of due) await lookAtExpiry({ workspace, account, at: now })
      found('expiries', due.length)
      return due.length
    },

    /** Imports and reversals that nobody works on: their run is started again, or told to look. */
    mendBulks: async (): Promise<number> => {
      const { before } = await netClock(pool, GRACE_MS)
      const stalled = await stalledBulks(pool, before, BATCH)
      for (const { workspace, bulk } of stalled) await tellBulk(engine, { workspace, bulk })
      found('bulks', stalled.length)
      return stalled.length
    },

    forgetIdempotencyKeys: async (): Promise<number> => forgetKeys(pool, KEY_LIFETIME_MS),
  }
}
