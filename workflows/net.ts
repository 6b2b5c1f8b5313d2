import { patched, proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { NetActivities, NetFindings } from '../activities/net.ts'

const {
  mendRedemptions,
  mendPayments,
  mendInbox,
  mendEarnings,
  mendTiers,
  mendWebhooks,
  mendExpiries,
  mendBulks,
  mendFulfillments,
  armTierReviews,
  forgetIdempotencyKeys,
} = proxyActivities<NetActivities>({
  startToCloseTimeout: '50s',
  retry: { maximumAttempts: 2 }, // the next run of the schedule is the real retry
})

/**
 * Finds what a healthy system never leaves behind, each two minutes past its time, and mends it. A kind
 * that fails keeps no other from its turn; the run ends as failed once all had theirs.
 */
export async function net(): Promise<NetFindings> {
  const failures: Error[] = []
  const orZero = (kind: Promise<number>) =>
    kind.catch((error: unknown) => {
      failures.push(error instanceof Error ? error : new Error(String(error)))
      return 0
    })
  const [redemptions, payments, inbox, earnings, tiers, webhooks, expiries, bulks, fulfillments] =
    await Promise.all([
      orZero(mendRedemptions()),
      orZero(mendPayments()),
      orZero(mendInbox()),
      orZero(mendEarnings()),
      orZero(mendTiers()),
      orZero(mendWebhooks()),
      orZero(mendExpiries()),
      orZero(mendBulks()),
      patched('fulfillments') ? orZero(mendFulfillments()) : 0,
    ])
  // not mending: how a promotion's review comes to be armed
  await orZero(armTierReviews())
  await orZero(forgetIdempotencyKeys())
  if (failures[0] !== undefined) throw failures[0]
  const findings = {
    redemptions,
    payments,
    inbox,
    earnings,
    tiers,
    webhooks,
    expiries,
    bulks,
    fulfillments,
  }
  setCurrentDetails(
    redemptions +
      payments +
      inbox +
      earnings +
      tiers +
      webhooks +
      expiries +
      bulks +
      fulfillments ===
      0
      ? 'Nothing to mend.'
      : `Mended ${redemptions} overdue redemptions, ${payments} expired payments, ${inbox} payments with unprocessed events, ${earnings} with pending points past their date, ${tiers} overdue tier reviews, ${webhooks} endpoints with overdue deliveries, ${expiries} accounts with overdue expiries, ${bulks} stalled imports or reversals, ${fulfillments} overdue fulfilments.`,
  )
  return findings
}
