import type { AccountChanged } from '../../db/account-changes.ts'
import { Refused } from '../../domain/refusal.ts'
import { refusalSentence } from '../../domain/refusal-sentence.ts'
import { notFound } from '../points-refusal.ts'
import { presentAccount } from '../schemas/accounts.ts'
import type { Deps } from '../server/deps.ts'

type Asker = { readonly workspace: string; readonly livemode: boolean; readonly deps: Deps }

/** The answer to a change of an account: the account as it is now, or the ledger's refusal. */
export async function presentChanged(ctx: Asker, id: string, changed: AccountChanged) {
  if (changed.refusal !== undefined) throw new Refused(refusalSentence(changed.refusal))
  if (changed.row === undefined) return notFound('account', id)
  const object = await presentAccount(ctx.deps, ctx, changed.row)
  return { status: 'ok' as const, replayed: changed.outcome === 'replayed', object }
}
