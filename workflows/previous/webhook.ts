import {
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { DeliveryActivities, DeliveryRound } from '../../activities/webhook.ts'
import type { WebhookEnding, WebhookInput, WebhookWorkflow } from '../inputs.ts'
import { deliveriesDue } from '../messages.ts'
import { onRowChanged } from './messages.ts'

const { deliverDue } = proxyActivities<DeliveryActivities>({
  startToCloseTimeout: '30m', // a round hands back after half of it, however much there is to do
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/**
 * Delivers what is due at one endpoint, whenever it is due: signalled, or at the next
 * retry's time. The deliveries' rows hold all there is to know; this only keeps the time.
 */
export async function webhook(input: WebhookInput): Promise<WebhookEnding> {
  let signalsReceived = 0
  setHandler(deliveriesDue, () => {
    signalsReceived++
  })
  onRowChanged(() => {
    signalsReceived++
  })
  do {
    const received = signalsReceived
    const round = await deliverDue(input)
    setCurrentDetails(summaryOf(round))
    if (round.state === 'gone' && signalsReceived === received) {
      return { endpoint: input.endpoint, story: summaryOf(round) }
    }
    await untilDue(round, () => signalsReceived > received)
  } while (!workflowInfo().continueAsNewSuggested)
  return continueAsNew<WebhookWorkflow>(input)
}

async function untilDue({ state, nextInMs }: DeliveryRound, news: () => boolean): Promise<void> {
  if (state === 'gone' || nextInMs === 0) return
  if (nextInMs === null) await condition(news)
  else await condition(news, nextInMs, { summary: 'next retry' })
}

function summaryOf({ state, nextInMs, nextAt }: DeliveryRound): string {
  if (state === 'gone') return 'The endpoint is disabled or deleted; nothing is sent to it.'
  if (nextInMs === null) return 'Everything is delivered. Waits for the next event.'
  return `Waits for the next try at ${nextAt ?? 'once'}.`
}
