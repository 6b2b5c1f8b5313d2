import { CancellationScope, patched } from '@temporalio/workflow'
import type { RedemptionEnding, RedemptionInput } from './inputs.ts'
import { isDue } from './mailbox.ts'
import { answerPreviousApi } from './previous/messages.ts'
import { redemption as previousRedemption } from './previous/redemption.ts'
import { RedemptionRow } from './redemption-row.ts'

/**
 * One redemption that waits for its payment. Usually the row has ended when the run is signalled, and there
 * is nothing left to write; the rest is for what failed then. At `expires_at` the points return. Cancelling
 * the run in the Temporal UI means `cancel`.
 */
export async function redemption(input: RedemptionInput): Promise<RedemptionEnding> {
  if (!patched('row-changed')) return previousRedemption(input)
  const row = new RedemptionRow(input, 'pending', input.releasesAt)
  answerPreviousApi(row)
  return CancellationScope.nonCancellable(() => untilSettled(row))
}

async function untilSettled(row: RedemptionRow): Promise<RedemptionEnding> {
  while (await row.waits()) {
    const { payment, paymentStatus, expiresAt } = row.facts
    if (payment && paymentStatus === 'completed') {
      await row.write((write) => write.applyRedemption({ ...row.moment(), payment }))
    } else if (payment && hasFailed(paymentStatus)) {
      const reason = `payment_${paymentStatus}`
      await row.write((write) =>
        write.releaseFailedRedemption({ ...row.moment(), payment, reason }),
      )
    } else if (row.isCancelRequested) {
      await row.cancel((ask) => (write) => write.cancelRedemption({ ...row.moment(), ...ask }))
    } else if (row.mustCheck || isDue(expiresAt)) {
      await row.write((write) => write.releaseDueRedemption(row.moment()))
    } else {
      await row.changedOr(expiresAt, `points return at ${expiresAt}`)
    }
  }
  return row.ending()
}

const hasFailed = (status: string | null = null): boolean =>
  status !== null && ['failed', 'canceled', 'expired'].includes(status)
