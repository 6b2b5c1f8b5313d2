import {
  type AccountRow,
  findActiveAccount,
  insertAccount,
  type NewAccount,
} from '../db/accounts.ts'
import { writeEvent } from '../db/events.ts'
import { claimKey, type RequestIdentity } from '../db/idempotency.ts'
import { transact } from '../db/workspace-client.ts'
import { refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'

export type Created<Row> = { replayOf: string } | { row: Row }

/** The writers of accounts, run by the API. */
export function accountActivities({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Refused: account_already_exists, with the id of the customer's active account in the program. */
    createAccount: (request: RequestIdentity, values: NewAccount): Promise<Created<AccountRow>> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        if (replayOf !== undefined) return { replayOf }
        const row = await insertAccount(tx, values)
        if (!row) {
          const { workspace, program, customer } = values
          const existing = await findActiveAccount(tx, workspace, program, customer ?? '')
          return refuse('account_already_exists', 'The customer has an account in this program.', {
            resource: existing?.id,
            param: 'customer',
          })
        }
        await writeEvent(tx, row.workspace, 'loyalty.account.created', 'account', row.id)
        return { row }
      }),
  }
}
