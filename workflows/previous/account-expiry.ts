import {
  condition,
  continueAsNew,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { ExpiryActivities } from '../../activities/expiry.ts'
import { expiryWakeMs } from '../../domain/expiry-spread.ts'
import type { AccountExpiryEnding, AccountExpiryInput, AccountExpiryWorkflow } from '../inputs.ts'
import { expiryChanged } from '../messages.ts'
import { onRowChanged } from './row-changed.ts'

const write = proxyLocalActivities<ExpiryActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

/**
 * One account that has something to expire: at each date it warns or expires, then sleeps to
 * the next, and ends when nothing of the account expires any more. A ledger write that brings
 * an earlier date wakes it. What is due is never spendable, however late this run.
 */
export async function accountExpiry(input: AccountExpiryInput): Promise<AccountExpiryEnding> {
  let heard = 0
  setHandler(expiryChanged, () => {
    heard++
  })
  onRowChanged(() => {
    heard++
  })
  for (;;) {
    const answered = heard
    const look = await write.lookAtExpiry({
      workspace: input.workspace,
      account: input.account,
      at: new Date().toISOString(),
    })
    if (heard > answered) continue
    if (look.wakesAt === null) return ending(input)
    const { wakesAt, shared } = look
    setCurrentDetails(`Next: ${wakesAt}. ${look.story}`)
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<AccountExpiryWorkflow>({ ...input, wakesAt })
    }
    const untilMs = expiryWakeMs(input.account, wakesAt, shared) - Date.now()
    await condition(() => heard > answered, Math.max(untilMs, 1), {
      summary: `expires or warns at ${wakesAt}`,
    })
  }
}

function ending({ account }: AccountExpiryInput): AccountExpiryEnding {
  const story =
    'Nothing of this account expires any more. Its next points with a date begin a new run.'
  setCurrentDetails(story)
  return { account, story }
}
