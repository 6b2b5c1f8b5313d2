import { ApplicationFailure, defineSignal, patched, setHandler } from '@temporalio/workflow'
import type { Settlement } from '../../activities/redemption.ts'
import {
  cancel,
  confirm,
  created,
  extend,
  fulfill,
  type MessageAnswer,
  paymentCompleted,
  paymentFailed,
  type Row,
  reverse,
  rowChanged,
} from '../messages.ts'
import type { RedemptionRow } from '../redemption-row.ts'

/** What an API of the release before sends to a redemption's run, which may be a new one. */
export function answerPreviousApi(row: RedemptionRow): void {
  listen(row)
  setHandler(cancel, (ask) =>
    answer(row.obey((write) => write.cancelRedemption({ ...row.moment(), ...ask }))),
  )
  setHandler(confirm, (ask) =>
    answer(row.obey((write) => write.confirmRedemption({ ...row.moment(), ...ask }))),
  )
  setHandler(extend, (ask) =>
    answer(row.obey((write) => write.extendRedemption({ ...row.moment(), ...ask }))),
  )
  setHandler(reverse, (ask) =>
    answer(row.obey((write) => write.reverseRedemption({ ...row.moment(), ...ask }))),
  )
  setHandler(fulfill, (ask) =>
    answer(row.obey((write) => write.fulfillRedemption({ ...row.moment(), ...ask }))),
  )
}

function listen(row: RedemptionRow): void {
  setHandler(created, () => {
    row.mustCheck = true
    row.mailbox.receive()
  })
  setHandler(paymentCompleted, async ({ payment }) => {
    await row.obey((write) => write.applyRedemption({ ...row.moment(), payment }))
  })
  setHandler(paymentFailed, async ({ payment, status }) => {
    const reason = `payment_${status}`
    await row.obey((write) => write.releaseFailedRedemption({ ...row.moment(), payment, reason }))
  })
}

/** The row has the outcome; the answer says only whether the message was obeyed. */
async function answer(obeyed: Promise<Settlement | null>): Promise<MessageAnswer> {
  const settlement = await obeyed
  if (!settlement) throw ApplicationFailure.nonRetryable('It could not be written')
  return { replayed: settlement.outcome === 'replayed', refusal: settlement.refusal }
}

/**
 * What an API of this release sends, also to a run that a worker of the one before began. While such a
 * worker had the run the signal did nothing, and it does nothing on replay: else a timer of then would
 * break it.
 */
export function onRowChanged<Facts>(receive: (row: Row<Facts>) => void): void {
  setHandler(defineSignal<[Row<Facts>]>(rowChanged.name), (row) => {
    if (patched('row-changed-to-a-run-of-before')) receive(row)
  })
}
