import {
  continueAsNew,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow'
import type { DeliveryActivities, DeliveryRound } from '../activities/webhook.ts'
import type { WebhookEnding, WebhookInput, WebhookWorkflow } from './inputs.ts'
import { Mailbox } from './mailbox.ts'
import { deliveriesDue } from './messages.ts'
import { webhook as previousWebhook } from './previous/webhook.ts'

const { deliverDue } = proxyActivities<DeliveryActivities>({
  startToCloseTimeout: '30m', // a round hands back after half of it, however much there is to do
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/**
 * Delivers what is due at one endpoint, whenever it is due: signalled when there is something new, or at the
 * next retry's time. The deliveries' rows hold all there is to know; this only keeps the time.
 */
export async function webhook(input: WebhookInput): Promise<WebhookEnding> {
  if (!patched('row-changed')) return previousWebhook(input)
  const { workspace, endpoint } = input
  const mailbox = new Mailbox<unknown>(null, input.revision)
  setHandler(deliveriesDue, () => mailbox.receive())
  for (;;) {
    mailbox.handle()
    const round = await deliverDue({ workspace, endpoint })
    const summary = summaryOf(round)
    setCurrentDetails(summary)
    if (round.state === 'gone' && mailbox.isQuiet()) return { endpoint, story: summary }
    if (mailbox.shouldContinueAsNew()) {
      await continueAsNew<WebhookWorkflow>({ workspace, endpoint, revision: mailbox.revision })
    }
    await untilDue(mailbox, round)
  }
}

async function untilDue(
  mailbox: Mailbox<unknown>,
  { state, nextInMs }: DeliveryRound,
): Promise<void> {
  if (state === 'gone' || nextInMs === 0) return
  if (nextInMs === null) await mailbox.newsOr(null)
  else await mailbox.newsOr(Date.now() + nextInMs, 'next retry')
}

function summaryOf({ state, nextInMs, nextAt }: DeliveryRound): string {
  if (state === 'gone') return 'The endpoint is disabled or deleted; nothing is sent to it.'
  if (nextInMs === null) return 'Everything is delivered. Waits for the next event.'
  return `Waits for the next try at ${nextAt ?? 'once'}.`
}
