import {
  continueAsNew,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow'
import type { BulkRunActivities, BulkState } from '../activities/bulk.ts'
import type { BulkEnding, BulkFacts, BulkInput, BulkWorkflow } from './inputs.ts'
import { Mailbox } from './mailbox.ts'
import { bulkChanged } from './messages.ts'
import { bulkRun as previousBulkRun } from './previous/bulk.ts'

// Retried without limit: a chunk is written once, however often it is tried.
const { workOnBulk } = proxyActivities<BulkRunActivities>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '30s' },
})

/**
 * An import, or the reversal of a batch: chunk after chunk, some seconds' worth a turn, with its
 * progress to be read here. Whether it is paused or canceled its row says.
 */
export async function bulkRun(input: BulkInput): Promise<BulkEnding> {
  if (!patched('row-changed')) return previousBulkRun(input)
  const { workspace, bulk } = input
  const mailbox = new Mailbox<BulkFacts>(input.facts ?? { status: 'running' }, input.revision)
  setHandler(bulkChanged, () => {
    mailbox.facts = { status: 'running' } // its row says whether it does
    mailbox.receive()
  })
  let state: BulkState | null = null
  for (;;) {
    mailbox.handle()
    const { facts, revision } = mailbox
    if (mailbox.shouldContinueAsNew()) {
      await continueAsNew<BulkWorkflow>({ workspace, bulk, facts, revision })
    }
    if (facts.status === 'running') {
      state = await workOnBulk({ workspace, bulk })
      mailbox.learn({ status: state.status })
      setCurrentDetails(detailsOf(state))
    } else if (facts.status === 'paused') {
      if (state === null) setCurrentDetails('paused')
      await mailbox.newsOr(null)
    } else {
      return ending(bulk, facts, state)
    }
  }
}

function ending(bulk: string, { status }: BulkFacts, state: BulkState | null): BulkEnding {
  if (state === null) setCurrentDetails(`${status}: there was nothing left to write.`)
  return { bulk, posted: state?.posted ?? null, refused: state?.refused ?? null }
}

function detailsOf({ status, posted, refused, total }: BulkState): string {
  const part = total === 0 ? 100 : Math.floor(((posted + refused) / total) * 100)
  return `${status}: ${posted} of ${total} rows written (${part}%), ${refused} refused.`
}
