import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { type ApiKeyRow, listApiKeys as list, readApiKey } from '../../db/api-keys.ts'
import { apiKeyObject } from '../../domain/api-key.ts'
import { newId } from '../../domain/ids.ts'
import { refuse } from '../../domain/refusal.ts'
import { KEY_KINDS } from '../../domain/secrets.ts'
import {
  ApiKey,
  ApiKeyRoll,
  ApiKeyUpdate,
  ApiKeyWithSecret,
  NewApiKey,
} from '../schemas/api-keys.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { created, updated } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'

const path = '/v1/api_keys'
const declared = { tags: ['api_keys'], key: 'secret' } as const

const present = (row: ApiKeyRow, livemode: boolean) => apiKeyObject(row, livemode, new Date())

const createApiKey = endpoint({
  ...declared,
  method: 'POST',
  path,
  summary: 'Create an API key',
  description:
    'Of the workspace that asks, in its mode. The secret is shown here and nowhere else. Nobody gives a key scopes that they have not themselves.',
  body: NewApiKey,
  reply: ApiKeyWithSecret,
  successCodes: [201, 200],
  errors: ['idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { workspace, livemode, actor, body, deps } = ctx
    const { expires_at: expiresAt = null, name = null, scopes = [], type: kind } = body
    if (expiresAt !== null && expiresAt <= new Date()) {
      refuse('parameter_invalid', 'expires_at: lies in the past.', { param: 'expires_at' })
    }
    const values = { workspace, id: newId('key'), kind, name, scopes, expiresAt }
    const made = await deps.commands.createApiKey(ctx.request, actor, livemode, values)
    deps.accessChanged()
    return created(made, (row) => ({ ...present(row, livemode), secret: row.secret }))
  },
})

const listApiKeys = endpoint({
  ...declared,
  method: 'GET',
  path,
  summary: 'List API keys',
  description: 'Those that have expired or were revoked among them.',
  query: listQuery('key', { type: z.enum(KEY_KINDS).optional() }),
  reply: listReply(ApiKey),
  errors: [],
  handle: async ({ workspace, livemode, query, deps }) => {
    const { rows, hasMore } = await list(deps.pool, workspace, query.type, pageOf(query))
    const data = rows.map((row) => present(row, livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

const retrieveApiKey = endpoint({
  ...declared,
  method: 'GET',
  path: '/v1/api_keys/{id}',
  summary: 'Retrieve an API key',
  params: idPath('key'),
  reply: ApiKey,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, params, deps }) => {
    const row = await readApiKey(deps.pool, workspace, params.id)
    if (row === undefined) return notFound('API key', params.id)
    return { status: 'ok', object: present(row, livemode) }
  },
})

const updateApiKey = endpoint({
  ...declared,
  method: 'PATCH',
  path: '/v1/api_keys/{id}',
  summary: 'Update an API key',
  description:
    'Its name and scopes; new scopes count within five seconds. Refused where the key has, or would have, scopes beyond those of whoever asks.',
  params: idPath('key'),
  body: ApiKeyUpdate,
  reply: ApiKey,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { livemode, actor, params, body, deps } = ctx
    const changed = await deps.commands.updateApiKey(ctx.request, actor, params.id, body)
    deps.accessChanged()
    return updated(changed, (row) => present(row, livemode))
  },
})

const rollApiKey = endpoint({
  ...declared,
  method: 'POST',
  path: '/v1/api_keys/{id}/roll',
  summary: 'Roll an API key',
  description:
    'A new secret for the same key, shown here and nowhere else. Both are taken until the overlap is over; of an earlier roll the oldest ends at once.',
  params: idPath('key'),
  body: ApiKeyRoll,
  reply: ApiKeyWithSecret,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { livemode, actor, params, body, deps } = ctx
    const hours = body.overlap_hours
    const rolled = await deps.commands.rollApiKey(ctx.request, actor, livemode, params.id, hours)
    deps.accessChanged()
    return updated(rolled, (row) => ({ ...present(row, livemode), secret: row.secret }))
  },
})

const revokeApiKey = endpoint({
  ...declared,
  method: 'POST',
  path: '/v1/api_keys/{id}/revoke',
  summary: 'Revoke an API key',
  description: 'For good; within five seconds it opens nothing anywhere.',
  params: idPath('key'),
  reply: ApiKey,
  errors: ['resource_missing', 'idempotency_key_reused', 'idempotency_key_in_use'],
  handle: async (ctx) => {
    const { livemode, params, deps } = ctx
    const changed = await deps.commands.revokeApiKey(ctx.request, params.id)
    deps.accessChanged()
    return updated(changed, (row) => present(row, livemode))
  },
})

export const apiKeyRoutes = [
  createApiKey,
  listApiKeys,
  retrieveApiKey,
  updateApiKey,
  rollApiKey,
  revokeApiKey,
] as const
