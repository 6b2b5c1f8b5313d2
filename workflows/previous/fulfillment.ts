import { proxyLocalActivities, setHandler } from '@temporalio/workflow'
import type { FulfillmentActivities } from '../../activities/fulfillment.ts'
import type { RedemptionActivities } from '../../activities/redemption.ts'
import type { FulfillmentInput, RedemptionEnding } from '../inputs.ts'
import { created, fulfill, reverse } from '../messages.ts'
import {
  answer,
  listenToOperator,
  moment,
  type Rules,
  type Switch,
  untilEnded,
  waitingRun,
} from './dead-mans-switch.ts'
import { onRowChanged } from './messages.ts'

// Retried without limit: a message is obeyed when the database is back, however long that takes.
const write = proxyLocalActivities<RedemptionActivities & FulfillmentActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

const RULES: Rules = {
  waitsIn: 'fulfillment_pending',
  dueAt: ({ fulfillment }) => fulfillment?.nextAt ?? null,
  actIfDue: write.actOnOverdueFulfillment,
  giveUp: write.cancelFulfillment,
  timer: (dueAt) => `overdue at ${dueAt}, unless all is shipped before`,
}

/**
 * One redeemed item that waits to be shipped: parcels or a reversal end it. At its deadline the
 * reward's policy acts: the points of what was not shipped return, or a notice is sent, again every
 * day (some six events of history: it may go on for twenty years). Started with a delay up to the
 * deadline, or without; it behaves the same. Cancelling it in the Temporal UI returns
 * the points of what was not shipped.
 */
export async function fulfillment(input: FulfillmentInput): Promise<RedemptionEnding> {
  const run = waitingRun(input, input.deadline, RULES)
  listen(run)
  return untilEnded(run)
}

function listen(run: Switch): void {
  setHandler(created, () => {
    run.signalsReceived++
  })
  setHandler(fulfill, (ask) =>
    answer(run, () => write.fulfillRedemption({ ...moment(run), ...ask })),
  )
  setHandler(reverse, (ask) =>
    answer(run, () => write.reverseRedemption({ ...moment(run), ...ask })),
  )
  listenToOperator(run)
  onRowChanged(() => {
    run.signalsReceived++
  })
}
