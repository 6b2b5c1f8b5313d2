import {
  condition,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow'
import type { PaymentActivities, PaymentState } from '../../activities/payment.ts'
import type { PaymentEnding, PaymentInput } from '../inputs.ts'
import { paymentTold } from '../messages.ts'
import { onRowChanged } from './messages.ts'

const write = proxyLocalActivities<PaymentActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '30s' },
})

/**
 * What follows from a payment's events: every one that waits in the inbox is worked off, and an
 * open sandbox payment expires at its time. Pending points wait here for their date. Short runs, started by the event that brings the
 * news; an open payment's run is delayed to its expiry.
 */
export async function payment(input: PaymentInput): Promise<PaymentEnding> {
  let signals = 0
  let processed = 0
  setHandler(paymentTold, () => {
    signals++
  })
  onRowChanged(() => {
    signals++
  })
  const who = { workspace: input.workspace, payment: input.payment }
  let state: PaymentState = { status: 'requires_payment', expiresAt: input.expiresAt, found: true }
  do {
    if (signals === processed && !isDue(state)) await untilNews(state, () => signals > processed)
    if (signals > processed || isMature(state)) {
      const received = signals
      state = await write.processPayment({ ...who, at: new Date().toISOString() })
      processed = received
    } else {
      state = await write.expirePayment({ ...who, at: new Date().toISOString() })
    }
  } while (signals > processed || awaitsExpiry(state) || state.maturesAt)
  return ending(input, state)
}

async function untilNews(state: PaymentState, news: () => boolean): Promise<void> {
  if (state.maturesAt) return untilMature(state.maturesAt, news)
  const { expiresAt } = state
  if (expiresAt === null) return condition(news)
  setCurrentDetails(`Open. Expires at ${expiresAt} unless it completes before.`)
  await condition(news, Math.max(Date.parse(expiresAt) - Date.now(), 1), {
    summary: `payment expires at ${expiresAt}`,
  })
}

async function untilMature(maturesAt: string, news: () => boolean): Promise<void> {
  setCurrentDetails(`Points are pending and become spendable at ${maturesAt}.`)
  await condition(news, Math.max(Date.parse(maturesAt) - Date.now(), 1), {
    summary: `points mature at ${maturesAt}`,
  })
}

const isMature = ({ maturesAt }: PaymentState) =>
  Boolean(maturesAt && Date.parse(maturesAt) <= Date.now())

const awaitsExpiry = ({ found, status, expiresAt }: PaymentState) =>
  found && expiresAt !== null && (status === 'requires_payment' || status === 'processing')

const isDue = (state: PaymentState) =>
  isMature(state) ||
  (awaitsExpiry(state) && state.expiresAt !== null && Date.parse(state.expiresAt) <= Date.now())

function ending(input: PaymentInput, { found, status }: PaymentState): PaymentEnding {
  const summary = found
    ? `Payment is ${status}; everything that follows from its events is done.`
    : 'No such payment: the request that started this run was refused or never finished.'
  setCurrentDetails(summary)
  return { payment: input.payment, status: found ? status : 'never_created', story: summary }
}
