import { heartbeat } from '@temporalio/activity'
import type { Dependencies } from '../app/dependencies.ts'
import { expiryCommands } from '../app/expiry.ts'

export type ExpiryActivities = ReturnType<typeof expiryActivities>

/** What an account's own run does, and the batch of the minute. */
export function expiryActivities(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
  const { checkExpiry, expireDue } = expiryCommands(dependencies)
  return {
    /** As the releases before published it. */
    lookAtExpiry: checkExpiry,
    expireDue: ({ before }: { before: string }) => expireDue(before, heartbeat),
  }
}
