import { z } from 'zod'
import { listEndpoints } from '../../db/webhook-endpoints.ts'
import { endpointObject } from '../../domain/objects/webhook-endpoint.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { WebhookEndpoint } from '../schemas/webhook-endpoints.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/webhook_endpoints'

export const listWebhookEndpoints = endpoint({
  method: 'GET',
  path,
  summary: 'List webhook endpoints',
  tags: ['webhook_endpoints'],
  key: 'secret',
  query: listQuery('we', { status: z.enum(['enabled', 'disabled']).optional() }),
  reply: listReply(WebhookEndpoint),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await listEndpoints(deps.pool, workspace, query.status, pageOf(query))
    const data = rows.map((row) => endpointObject(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})
