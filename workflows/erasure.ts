import { continueAsNew, patched, proxyActivities, setCurrentDetails } from '@temporalio/workflow'
import type { ErasureActivities } from '../activities/erasure.ts'
import { ERASED_STORES, ERASED_STORES_BEFORE, type ErasureWait } from '../domain/erasure.ts'
import type { ErasureEnding, ErasureInput, ErasureWorkflow } from './inputs.ts'
import { Mailbox } from './mailbox.ts'

// Retried without limit: what was removed is not there to be removed again.
const { checkErasure, eraseStore, certifyErasure } = proxyActivities<ErasureActivities>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '1m' },
})

const FIRST_REST_MS = 60_000
// A dispute takes weeks; the reconciler looks after one that was silent for two hours.
const LONGEST_REST_MS = 3_600_000

/**
 * The erasure of a member: waits for what is under way, removes store by store what says who they are,
 * searches again, and ends with the certificate, which is its row. Whatever stops it, it goes on where its
 * row and the stores say. Asked for again, it looks at once.
 */
export async function erasure({
  workspace,
  account,
  searches = 0,
  revision,
}: ErasureInput): Promise<ErasureEnding> {
  const mailbox = new Mailbox<unknown>(null, revision)
  for (let found = searches, rests = 0; ; rests++) {
    mailbox.handle()
    const waits = await checkErasure({ workspace, account })
    if (waits === null) return ending(account, 'was completed before')
    if (waits.length === 0) {
      const left = await eraseAll({ workspace, account })
      if (left === '' && mailbox.isQuiet())
        return ending(account, 'completed: a search found nothing')
      if (left !== '') {
        found++
        setCurrentDetails(`Search ${found} still found ${left}; it is done again.`)
      }
    } else {
      setCurrentDetails(`Waits for ${sentenceOf(waits)}.`)
    }
    if (mailbox.shouldContinueAsNew()) {
      const input = { workspace, account, searches: found, revision: mailbox.revision }
      await continueAsNew<ErasureWorkflow>(input)
    }
    await mailbox.newsOr(Date.now() + Math.min(FIRST_REST_MS * 2 ** rests, LONGEST_REST_MS))
  }
}

/** What a search afterwards still found, as a sentence has it; nothing: the erasure is completed. */
async function eraseAll(which: { workspace: string; account: string }): Promise<string> {
  const stores = patched('erased-approvals') ? ERASED_STORES : ERASED_STORES_BEFORE
  for (const store of stores) {
    setCurrentDetails(`Erases ${store}.`)
    await eraseStore({ ...which, store })
  }
  setCurrentDetails('Searches again.')
  const found = Object.entries(await certifyErasure(which))
  return found.map(([store, rows]) => `${rows} rows of ${store}`).join(', ')
}

function ending(account: string, story: string): ErasureEnding {
  setCurrentDetails(`The erasure of ${account} ${story}.`)
  return { account, story }
}

const MOST_NAMED = 5

function sentenceOf(waits: readonly ErasureWait[]): string {
  const named = waits.slice(0, MOST_NAMED).map(({ object, status }) => `${object} (${status})`)
  const more = waits.length - named.length
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ')
}
