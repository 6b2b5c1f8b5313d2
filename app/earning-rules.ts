import {
  type EarningRuleChange,
  type EarningRuleRow,
  insertEarningRule,
  lockEarningRule,
  type NewEarningRule,
  updateEarningRule,
} from '../db/earning-rules.ts'
import { changeOnce, claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { transact } from '../db/workspace-client.ts'
import type { Creation } from './accounts.ts'
import type { Dependencies } from './dependencies.ts'

/** The writers of earning rules. */
export function earningRuleCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createEarningRule: (
      request: RequestIdentity,
      values: NewEarningRule,
    ): Promise<Creation<EarningRuleRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        return replayOf !== undefined ? { replayOf } : { row: await insertEarningRule(tx, values) }
      }),

    /** What `changeOf` makes of the rule as it is, under its lock; undefined where there is none. */
    updateEarningRule: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: EarningRuleRow) => EarningRuleChange,
    ) =>
      changeOnce(pool, request, id, lockEarningRule, (tx, before) =>
        updateEarningRule(tx, before, changeOf(before)),
      ),
  }
}
