import { proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { ExpiryActivities } from '../activities/expiry.ts'

const { expireDue } = proxyActivities<ExpiryActivities>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: '20s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/**
 * Works off, each minute, what is due: a few accounts at a time of a date that many share, whose own
 * runs check spread over the hours after, and accounts that have no run because an import brought
 * their points. Ends when nothing that was due when it began is left.
 */
export async function expiryBatch(): Promise<{ accounts: number }> {
  const before = new Date().toISOString()
  let accounts = 0
  for (;;) {
    const checked = await expireDue({ before })
    if (checked === 0) break
    accounts += checked
    setCurrentDetails(`Checked ${accounts} accounts that were due at ${before}.`)
  }
  if (accounts === 0) setCurrentDetails('Nothing was due.')
  return { accounts }
}
