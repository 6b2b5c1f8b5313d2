import { proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { NetActivities, NetFindings } from '../activities/net.ts'

const { mendRedemptions, mendPayments, mendInbox, mendEarnings, forgetIdempotencyKeys } =
  proxyActivities<NetActivities>({
    startToCloseTimeout: '50s',
    retry: { maximumAttempts: 2 }, // the next run of the schedule is the real retry
  })

/** Finds what a healthy system never leaves behind, each two minutes past its time, and mends it. */
export async function net(): Promise<NetFindings> {
  const [redemptions, payments, inbox, earnings] = await Promise.all([
    mendRedemptions(),
    mendPayments(),
    mendInbox(),
    mendEarnings(),
  ])
  await forgetIdempotencyKeys()
  const findings = { redemptions, payments, inbox, earnings }
  setCurrentDetails(
    redemptions + payments + inbox + earnings === 0
      ? 'Nothing to mend.'
      : `Mended ${redemptions} overdue redemptions, ${payments} expired payments, ${inbox} payments with unprocessed events, ${earnings} with pending points past their date.`,
  )
  return findings
}
