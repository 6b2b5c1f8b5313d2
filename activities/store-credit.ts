import { heartbeat } from '@temporalio/activity'
import type { Dependencies } from '../app/dependencies.ts'
import { storeCreditCommands } from '../app/store-credit.ts'

export type StoreCreditActivities = ReturnType<typeof storeCreditActivities>

/** What the expiry of store credit does. */
export function storeCreditActivities(dependencies: Pick<Dependencies, 'pool' | 'onFailure'>) {
  const { expireDueCredits } = storeCreditCommands(dependencies)
  return {
    expireDueCredits: ({ before }: { before: string }) => expireDueCredits(before, heartbeat),
  }
}
