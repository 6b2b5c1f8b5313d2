import {
  type EarningRuleChange,
  type EarningRuleRow,
  insertEarningRule,
  lockEarningRule,
  type NewEarningRule,
  updateEarningRule,
} from '../db/earning-rules.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'

const noun = 'earning rule'

/** The writers of earning rules. */
export function earningRuleCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    createEarningRule: (
      request: RequestIdentity,
      values: NewEarningRule,
    ): Promise<Written<EarningRuleRow>> =>
      idempotent(pool, request, {
        noun,
        id: values.id,
        write: (tx) => insertEarningRule(tx, values),
        find: lockEarningRule,
      }),

    /** What `changeOf` makes of the rule as it is, under its lock. */
    updateEarningRule: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: EarningRuleRow) => EarningRuleChange,
    ): Promise<Written<EarningRuleRow>> =>
      changeOnce(pool, request, {
        noun,
        id,
        lock: lockEarningRule,
        change: (tx, before) => updateEarningRule(tx, before, changeOf(before)),
      }),
  }
}
