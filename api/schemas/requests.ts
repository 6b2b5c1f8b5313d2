import { z } from 'zod'
import type { RequestRow } from '../../db/requests.ts'
import { id } from './ids.ts'
import { time } from './times.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'] as const

export const requestMethod = z.enum(METHODS)

/** A request as the log has it. */
export const LoggedRequest = z
  .object({
    id: id('req').meta({ description: 'The `Request-Id` of its answer.' }),
    object: z.literal('request'),
    created_at: time,
    livemode: z.boolean(),
    method: requestMethod,
    route: z.string().meta({
      description: 'The template of its path, under `/v1`.',
      example: '/v1/loyalty/redemptions/{id}/cancel',
    }),
    resource: z.string().nullable().meta({
      description: 'The id in its path, else that of what it answered with.',
    }),
    status: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Null: the caller went away before the answer.' }),
    error_code: z.string().nullable(),
    error_param: z.string().nullable(),
    key: z.string().nullable().meta({ description: 'The API key it came with.' }),
    has_idempotency_key: z.boolean(),
    replayed: z.boolean(),
    duration_ms: z.number().int(),
    body: z.looseObject({}).nullable().meta({
      description:
        'What it sent, without secrets, codes, cards, shipping, metadata, free text and whatever else may be personal; texts up to 200 characters, lists up to 20 elements. Null on GET.',
    }),
  })
  .meta({ id: 'Request', description: 'A request that was answered, kept for some days.' })

export const presentRequest = (
  row: RequestRow,
  livemode: boolean,
): z.input<typeof LoggedRequest> => ({
  id: row.id,
  object: 'request',
  created_at: row.createdAt.toISOString(),
  livemode,
  method: requestMethod.parse(row.method),
  route: row.route,
  resource: row.resource,
  status: row.status,
  error_code: row.errorCode,
  error_param: row.errorParam,
  key: row.key,
  has_idempotency_key: row.hasIdempotencyKey,
  replayed: row.replayed,
  duration_ms: row.durationMs,
  body: row.body,
})
