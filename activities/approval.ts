import { advanceApproval } from '../app/approvals.ts'
import type { Dependencies } from '../app/dependencies.ts'

export type ApprovalActivities = ReturnType<typeof approvalActivities>

/** What the run of an approval does: its reminder and its expiry. */
export function approvalActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    advanceApproval: (due: { workspace: string; id: string; at: string }) =>
      advanceApproval(pool, due),
  }
}
