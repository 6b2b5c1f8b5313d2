import {
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { BulkRunActivities, BulkState } from '../../activities/bulk.ts'
import type { BulkEnding, BulkInput, BulkWorkflow } from '../inputs.ts'
import { bulkChanged } from '../messages.ts'
import { onRowChanged } from './messages.ts'

// Retried without limit: a chunk is written once, however often it is tried.
const { workOnBulk } = proxyActivities<BulkRunActivities>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '30s' },
})

/**
 * An import, or the reversal of a batch: chunk after chunk, some seconds' worth a turn, with its
 * progress to be read here. Whether it is paused its row says; a message only makes it check.
 */
export async function bulkRun(input: BulkInput): Promise<BulkEnding> {
  let signalsReceived = 0
  setHandler(bulkChanged, () => {
    signalsReceived++
  })
  onRowChanged(() => {
    signalsReceived++
  })
  for (;;) {
    const signalsHandled = signalsReceived
    const state = await workOnBulk(input)
    setCurrentDetails(detailsOf(state))
    if (state.status !== 'running' && state.status !== 'paused') {
      return { bulk: input.bulk, posted: state.posted, refused: state.refused }
    }
    if (state.status === 'paused') await condition(() => signalsReceived > signalsHandled)
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<BulkWorkflow>(input)
  }
}

function detailsOf({ status, posted, refused, total }: BulkState): string {
  const part = total === 0 ? 100 : Math.floor(((posted + refused) / total) * 100)
  return `${status}: ${posted} of ${total} rows written (${part}%), ${refused} refused.`
}
