import { expect } from 'vitest'
import { openReceiver } from '../webhooks/receiver.ts'
import type { Book } from './book.ts'

const ENDPOINTS = '/v1/webhook_endpoints'

/** Events, and where they are sent. */
export async function outbound({ ask, shop }: Book): Promise<void> {
  const receiver = await openReceiver()
  const endpoint = await ask(`POST ${ENDPOINTS}`, 'For redemptions and payments', {
    body: {
      url: receiver.url,
      enabled_events: ['loyalty.redemption.*', 'payment.completed'],
      description: 'the shop',
    },
  })
  await ask(`POST ${ENDPOINTS}`, 'A private address', {
    body: { url: 'http://10.0.0.1/hook' },
    refused: 400,
  })
  const path = { id: endpoint.id }
  await ask(`GET ${ENDPOINTS}/{id}`, 'An endpoint', { path })
  await ask(`GET ${ENDPOINTS}`, 'All', {})
  await ask(`PATCH ${ENDPOINTS}/{id}`, 'For everything', { path, body: { enabled_events: ['*'] } })
  await ask(`POST ${ENDPOINTS}/{id}/roll_secret`, 'Both sign for two days', {
    path,
    body: { overlap_hours: 48 },
  })
  const sent = await ask(`POST ${ENDPOINTS}/{id}/test`, 'A test event', { path, body: {} })
  const deliveries = `${ENDPOINTS}/${endpoint.id}/deliveries`
  await expect
    .poll(async () => (await shop.get(deliveries)).body.data[0]?.status, { timeout: 30_000 })
    .toBe('succeeded')
  await ask(`GET ${ENDPOINTS}/{id}/deliveries`, 'Of an event', { path, query: { event: sent.id } })
  await ask(`POST ${ENDPOINTS}/{id}/replay`, 'One event', { path, body: { event: sent.id } })
  await ask(`GET /v1/events/{id}`, 'An event', { path: { id: sent.id } })
  await ask('GET /v1/events', 'What became of redemptions', {
    query: { type: 'loyalty.redemption.applied', limit: 1 },
  })
  await ask(`DELETE ${ENDPOINTS}/{id}`, 'Deleted', { path })
  await receiver.close()
}
