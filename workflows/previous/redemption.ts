import { proxyLocalActivities, setHandler } from '@temporalio/workflow'
import type { RedemptionActivities } from '../../activities/redemption.ts'
import type { RedemptionEnding, RedemptionInput } from '../inputs.ts'
import {
  cancel,
  confirm,
  created,
  extend,
  paymentCompleted,
  paymentFailed,
  reverse,
} from '../messages.ts'
import {
  answer,
  listenToOperator,
  moment,
  obeySignal,
  type Rules,
  type Switch,
  untilEnded,
  waitingRun,
} from './dead-mans-switch.ts'
import { onRowChanged } from './messages.ts'

// Retried without limit: a message is obeyed when the database is back, however long that takes.
const write = proxyLocalActivities<RedemptionActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

const RULES: Rules = {
  waitsIn: 'pending',
  dueAt: ({ expiresAt }) => expiresAt,
  actIfDue: write.releaseDueRedemption,
  giveUp: write.cancelRedemption,
  timer: (dueAt) => `points return at ${dueAt}`,
}

/**
 * One redemption that waits for its payment: a message or the deadline settles it, once.
 * Started with a delay up to the deadline, or without; it behaves the same.
 * Cancelling it in the Temporal UI means `cancel`.
 */
export async function redemption(input: RedemptionInput): Promise<RedemptionEnding> {
  const run = waitingRun(input, input.releasesAt, RULES)
  listen(run)
  return untilEnded(run)
}

function listen(run: Switch): void {
  setHandler(created, () => {
    run.signalsReceived++
  })
  setHandler(paymentCompleted, ({ payment }) =>
    obeySignal(run, () => write.applyRedemption({ ...moment(run), payment })),
  )
  setHandler(paymentFailed, ({ payment, status }) =>
    obeySignal(run, () =>
      write.releaseFailedRedemption({ ...moment(run), payment, reason: `payment_${status}` }),
    ),
  )
  setHandler(cancel, (ask) => answer(run, () => write.cancelRedemption({ ...moment(run), ...ask })))
  setHandler(confirm, (ask) =>
    answer(run, () => write.confirmRedemption({ ...moment(run), ...ask })),
  )
  setHandler(extend, (ask) => answer(run, () => write.extendRedemption({ ...moment(run), ...ask })))
  setHandler(reverse, (ask) =>
    answer(run, () => write.reverseRedemption({ ...moment(run), ...ask })),
  )
  listenToOperator(run)
  onRowChanged(() => {
    run.signalsReceived++
  })
}
