import { expect } from 'vitest'
import { newId } from '../../../domain/ids.ts'
import { signalEndpoint } from '../../../temporal/endpoint-signals.ts'
import { webhookWorkflowId } from '../../../temporal/names.ts'
import { openReceiver } from '../../webhooks/receiver.ts'
import { member, movement, type Outcomes, operation } from './outcome.ts'

export const webhookOutcomes: Outcomes = {
  'webhook endpoint tried again, delivered to, then deleted': async (house) => {
    const receiver = await openReceiver((_, count) => ({ status: count === 1 ? 503 : 200 }))
    const endpoint = newId('we')
    const { workspace } = house
    const request = { workspace, route: 'POST /v1/webhook_endpoints', key: null, ...operation() }
    const enabledEvents = ['loyalty.points.earned']
    const values = { workspace, id: endpoint, url: receiver.url, enabledEvents }
    await house.commands.createWebhookEndpoint(request, {
      ...values,
      description: null,
      metadata: {},
    })
    await house.commands.postTransaction(movement(house, await member(house), 1))
    await signalEndpoint(house.engine, { workspace, endpoint })
    const run = house.engine.client.workflow.getHandle(webhookWorkflowId(endpoint))
    /** Waits for so many rounds; each ends some seconds after its last delivery. */
    const rounds = (count: number) =>
      expect
        .poll(
          async () =>
            (await run.fetchHistory()).events?.filter(
              (event) => event.activityTaskCompletedEventAttributes,
            ).length,
          { timeout: 30_000 },
        )
        .toBe(count)
    await rounds(1)
    await house.owner.query(
      'update webhook_delivery set next_attempt_at = now() where endpoint = $1',
      [endpoint],
    )
    await signalEndpoint(house.engine, { workspace, endpoint })
    await rounds(2)
    expect(receiver.received).toHaveLength(2)
    await house.commands.deleteWebhookEndpoint(request, endpoint)
    await signalEndpoint(house.engine, { workspace, endpoint })
    await run.result()
    await receiver.close()
    return webhookWorkflowId(endpoint)
  },
}
