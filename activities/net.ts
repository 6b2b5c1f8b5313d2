import { netClock, overdueRedemptions, expiredPayments, forgetKeys, replayPayment, unprocessedPayments } from '../db/net.ts'
import { stalledBulks } from '../db/bulk.ts'
import { dueExpiries } from '../db/expiry.ts'
import { tellBulk } from '../temporal/bulk.ts'
import { isExpiryBatchRunning } from '../temporal/expiry.ts'
import type { Dependencies } from './dependencies.ts'
import { expiryActivities } from './expiry.ts'
import { paymentActivities } from './payment.ts'
import { redemptionActivities } from './redemption.ts'
import { tellWorkflows } from './tell-workflows.ts'

// What is late by less than this has its own timer still on the way.
const GRACE_MS = 120_000
// One run mends at most so many of a kind; the next minute takes the rest.
const BATCH = 500
const KEY_LIFETIME_MS = 24 * 3_600_000

export type NetFindings = { redemptions: number; payments: number; inbox: number; expiries: number; bulks: number }
export type NetActivities = ReturnType<typeof netActivities>

/** Finds what should not be there, and mends it by the activities that should have. Counts what it finds. */
export function netActivities(dependencies: Dependencies & { found: (kind: keyof NetFindings, count: number) => void }) {
  const { pool, engine, found } = dependencies
  const { releaseDueRedemption } = redemptionActivities(dependencies)
  const { lookAtExpiry } = expiryActivities(dependencies)
  const { expirePayment } = paymentActivities(dependencies)

  return {
    mendRedemptions: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const overdue = await overdueRedemptions(pool, before, BATCH)
      for (const { workspace, id } of overdue) await releaseDueRedemption({ workspace, redemption: id, at: now })
      found('redemptions', overdue.length)
      return overdue.length
    },

    mendPayments: async (): Promise<number> => {
      const { now, before } = await netClock(pool, GRACE_MS)
      const expired = await expiredPayments(pool, before, BATCH)
      for (const { workspace, payment } of expired) await expirePayment({ workspace, payment, at: now })
      found('payments', expired.length)
      return expired.length
    },

    mendInbox: async (): Promise<number> => {
      const { before } = await netClock(pool, GRACE_MS)
      const waiting = await unprocessedPayments(pool, before, BATCH)
      for (const { workspace, payment } of waiting) await tellWorkflows(engine, workspace, await replayPayment(pool, workspace, payment))
      found('inbox', waiting.length)
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
