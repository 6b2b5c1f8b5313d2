import {
  type EarningRuleChange,
  type EarningRuleRow,
  insertEarningRule,
  type NewEarningRule,
  updateEarningRule,
} from '../db/earning-rules.ts'
import { claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { transact } from '../db/workspace-client.ts'
import type { Created } from './account.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of earning rules, run by the API. */
export function earningRuleActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createEarningRule: (
      request: RequestIdentity,
      values: NewEarningRule,
    ): Promise<Created<EarningRuleRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        return replayOf !== undefined ? { replayOf } : { row: await insertEarningRule(tx, values) }
      }),

    /** Undefined where there is no such rule. A replay changes nothing and says which rule it was. */
    updateEarningRule: (
      request: RequestIdentity,
      id: string,
      change: EarningRuleChange,
    ): Promise<Created<EarningRuleRow> | undefined> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, id)
        if (replayOf !== undefined) return { replayOf }
        const row = await updateEarningRule(tx, request.workspace, id, change)
        return row && { row }
      }),
  }
}
