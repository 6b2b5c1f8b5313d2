import { proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { StoreCreditActivities } from '../activities/store-credit.ts'

const { expireDueCredits } = proxyActivities<StoreCreditActivities>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: '20s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/**
 * Writes off store credit whose date has come, some members at a time, every
 * quarter of an hour. Nobody waits for it: what is due is not spendable, and
 * counts as expired, from its date on. Ends when nothing that was due when it
 * began is left.
 */
export async function creditExpiry(): Promise<{ members: number }> {
  const before = new Date().toISOString()
  let members = 0
  for (;;) {
    const checked = await expireDueCredits({ before })
    if (checked === 0) break
    members += checked
    setCurrentDetails(`Wrote off credit of ${members} members that was due at ${before}.`)
  }
  if (members === 0) setCurrentDetails('Nothing was due.')
  return { members }
}
