import { patched, proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { NetActivities, NetFindings } from '../activities/net.ts'
import type { TierActivities } from '../activities/tier.ts'

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
} = proxyActivities<NetActivities & TierActivities>({
  startToCloseTimeout: '50s',
  retry: { maximumAttempts: 2 }, // the next run of the schedule is the real retry
})

/** Finds what a healthy system never leaves behind, each two minutes past its time, and mends it. */
export async function net(): Promise<NetFindings> {
  const [redemptions, payments, inbox, earnings, tiers, webhooks, expiries, bulks, fulfillments] =
    await Promise.all([
      mendRedemptions(),
      mendPayments(),
      mendInbox(),
      mendEarnings(),
      mendTiers(),
      mendWebhooks(),
      mendExpiries(),
      mendBulks(),
      patched('fulfillments') ? mendFulfillments() : 0,
    ])
  // not mending: how a promotion's review comes to be armed
  await armTierReviews()
  await forgetIdempotencyKeys()
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
