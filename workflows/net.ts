import { proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { NetActivities, NetFindings } from '../activities/net.ts'

const { mendRedemptions, mendPayments, mendInbox, mendExpiries, mendBulks, forgetIdempotencyKeys } = proxyActivities<NetActivities>({
  startToCloseTimeout: '50s',
  retry: { maximumAttempts: 2 }, // the next run of the schedule is the real retry
})

/** Finds what a healthy system never leaves behind, each two minutes past its time, and mends it. */
export async function net(): Promise<NetFindings> {
  const [redemptions, payments, inbox, expiries, bulks] = await Promise.all([
    mendRedemptions(),
    mendPayments(),
    mendInbox(),
    mendExpiries(),
    mendBulks(),
  ])
  await forgetIdempotencyKeys()
  const findings = { redemptions, payments, inbox, expiries, bulks }
  setCurrentDetails(
    redemptions + payments + inbox + expiries + bulks === 0
      ? 'Nothing to mend.'
      : `Mended ${redemptions} overdue redemptions, ${payments} expired payments, ${inbox} payments with unprocessed events, ${expiries} accounts with overdue expiries, ${bulks} imports or reversals that stood still.`,
  )
  return findings
}
