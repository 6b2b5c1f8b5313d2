import {
  condition,
  continueAsNew,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { ExpiryActivities } from '../../activities/expiry.ts'
import { expiryCheckMs } from '../../domain/expiry.ts'
import type { AccountExpiryEnding, AccountExpiryInput, AccountExpiryWorkflow } from '../inputs.ts'
import { expiryChanged } from '../messages.ts'
import { onRowChanged } from './messages.ts'

const write = proxyLocalActivities<ExpiryActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

/**
 * One account that has something to expire: at each date it warns or expires, then sleeps to
 * the next, and ends when nothing of the account expires any more. A ledger write that brings
 * an earlier date is signalled. What is due is never spendable, however late this run.
 */
export async function accountExpiry(input: AccountExpiryInput): Promise<AccountExpiryEnding> {
  let signalsReceived = 0
  setHandler(expiryChanged, () => {
    signalsReceived++
  })
  onRowChanged(() => {
    signalsReceived++
  })
  for (;;) {
    const signalsHandled = signalsReceived
    const check = await write.lookAtExpiry({
      workspace: input.workspace,
      account: input.account,
      at: new Date().toISOString(),
    })
    if (signalsReceived > signalsHandled) continue
    if (check.wakesAt === null) return ending(input)
    const { wakesAt, shared } = check
    setCurrentDetails(`Next: ${wakesAt}. ${check.story}`)
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<AccountExpiryWorkflow>({ ...input, wakesAt })
    }
    const untilMs = expiryCheckMs(input.account, wakesAt, shared) - Date.now()
    await condition(() => signalsReceived > signalsHandled, Math.max(untilMs, 1), {
      summary: `expires or warns at ${wakesAt}`,
    })
  }
}

function ending({ account }: AccountExpiryInput): AccountExpiryEnding {
  const summary =
    'Nothing of this account expires any more. Its next points with a date begin a new run.'
  setCurrentDetails(summary)
  return { account, story: summary }
}
