import { continueAsNew, patched, setCurrentDetails, setHandler } from '@temporalio/workflow'
import type { ExpiryActivities } from '../activities/expiry.ts'
import { expiryCheckMs } from '../domain/expiry.ts'
import type {
  AccountExpiryEnding,
  AccountExpiryFacts,
  AccountExpiryInput,
  AccountExpiryWorkflow,
} from './inputs.ts'
import { Mailbox } from './mailbox.ts'
import { expiryChanged } from './messages.ts'
import { accountExpiry as previousAccountExpiry } from './previous/account-expiry.ts'
import { writes } from './write.ts'

const write = writes<ExpiryActivities>()

/**
 * One account that has something to expire: at each date it warns or expires, then sleeps to
 * the next, and ends when nothing of the account expires any more. A ledger write that brings
 * an earlier date signals it. What is due is never spendable, however late this run.
 */
export async function accountExpiry(input: AccountExpiryInput): Promise<AccountExpiryEnding> {
  if (!patched('row-changed')) return previousAccountExpiry(input)
  const { workspace, account } = input
  // null: not known
  const mailbox = new Mailbox<AccountExpiryFacts | null>(input.facts ?? null, input.revision)
  setHandler(expiryChanged, () => {
    mailbox.facts = null
    mailbox.receive()
  })
  let summary = ''

  const check = async () => {
    const at = new Date().toISOString()
    const found = await write(({ lookAtExpiry }) => lookAtExpiry({ workspace, account, at }))
    if (found === null) return
    mailbox.learn({ wakesAt: found.wakesAt, shared: found.shared })
    summary = found.story
  }

  for (;;) {
    mailbox.handle()
    const { facts } = mailbox
    if (facts?.wakesAt === null) return ending(account)
    if (facts === null || expiryCheckMs(account, facts.wakesAt, facts.shared) <= Date.now()) {
      await mailbox.act(check)
    } else {
      const { wakesAt, shared } = facts
      setCurrentDetails(`Next: ${wakesAt}. ${summary}`)
      if (mailbox.shouldContinueAsNew()) {
        const { revision } = mailbox
        await continueAsNew<AccountExpiryWorkflow>({ ...input, wakesAt, facts, revision })
      }
      await mailbox.newsOr(
        expiryCheckMs(account, wakesAt, shared),
        `expires or warns at ${wakesAt}`,
      )
    }
  }
}

function ending(account: string): AccountExpiryEnding {
  const summary =
    'Nothing of this account expires any more. Its next points with a date begin a new run.'
  setCurrentDetails(summary)
  return { account, story: summary }
}
