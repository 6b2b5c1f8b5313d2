import { CancellationScope, patched } from '@temporalio/workflow'
import type { FulfillmentInput, RedemptionEnding } from './inputs.ts'
import { isDue } from './mailbox.ts'
import { fulfillment as previousFulfillment } from './previous/fulfillment.ts'
import { answerPreviousApi } from './previous/messages.ts'
import { RedemptionRow } from './redemption-row.ts'

/**
 * One redeemed item that waits to be shipped: parcels or a reversal end it. At its deadline the reward's
 * policy acts: the points of what was not shipped return, or a notice is sent, again every day, for
 * twenty years if need be. Cancelling the run in the Temporal UI returns the points of what was not shipped.
 */
export async function fulfillment(input: FulfillmentInput): Promise<RedemptionEnding> {
  if (!patched('row-changed')) return previousFulfillment(input)
  const row = new RedemptionRow(input, 'fulfillment_pending', input.deadline)
  answerPreviousApi(row)
  return CancellationScope.nonCancellable(() => untilShipped(row, input.deadline))
}

async function untilShipped(row: RedemptionRow, deadline: string): Promise<RedemptionEnding> {
  while (await row.waits()) {
    const dueAt = row.facts.fulfillment ? row.facts.fulfillment.nextAt : deadline
    if (row.isCancelRequested) {
      await row.cancel((ask) => (write) => write.cancelFulfillment({ ...row.moment(), ...ask }))
    } else if (row.mustCheck || isDue(dueAt)) {
      await row.write((write) => write.actOnOverdueFulfillment(row.moment()))
    } else {
      await row.changedOr(dueAt, `overdue at ${dueAt}, unless all is shipped before`)
    }
  }
  return row.ending()
}
