import { z } from 'zod'
import { notFound } from '../../app/refusals.ts'
import { orUnavailable } from '../../app/unavailable.ts'
import { findRequest, listRequests as readRequests } from '../../db/requests.ts'
import { ERROR_CODES } from '../../domain/refusal.ts'
import { id, idPath } from '../schemas/ids.ts'
import { listOf, listQuery, listReply, pageOf } from '../schemas/lists.ts'
import { LoggedRequest, presentRequest, requestMethod } from '../schemas/requests.ts'
import { text } from '../schemas/text.ts'
import { underV1 } from '../server/declaration.ts'
import { endpoint } from '../server/endpoint.ts'
import { ERRORS } from '../server/errors.ts'

const path = '/v1/requests'
const LONGEST_ROUTE = 200
const TOO_MANY = 'These are not found among so many requests in time. Name a window by `created`.'
const LONGEST_ID = 255

export const listRequests = endpoint({
  method: 'GET',
  path,
  summary: 'List requests',
  description: `The newest first, as long as the server keeps them; each within seconds of its answer. \`object\` and
the statuses of errors are found at once, however long ago; with other filters name a window by \`created\` as well.`,
  tags: ['requests'],
  key: 'secret',
  query: listQuery('req', {
    method: requestMethod.optional(),
    route: text(LONGEST_ROUTE).optional().meta({
      description: 'The template of the path.',
      example: '/v1/loyalty/redemptions/{id}/cancel',
    }),
    status: z
      .string()
      .regex(/^[1-5]\d\d$/, 'expected an HTTP status')
      .transform(Number)
      .optional()
      .meta({ type: 'integer', example: 422 }),
    error_code: z.enum(ERROR_CODES).optional(),
    key: id('key').optional(),
    object: text(LONGEST_ID).optional().meta({ description: 'The id of what it is about.' }),
  }),
  reply: listReply(LoggedRequest),
  errors: [],
  handle: async (ctx) => {
    const { method, route, status, error_code: errorCode, key, object: resource } = ctx.query
    const filter = {
      method,
      route: route === undefined ? undefined : underV1(route),
      // an error code has one status, by which the database finds it
      status: status ?? (errorCode && ERRORS[errorCode].status),
      errorCode,
      key,
      resource,
    }
    const { pool } = ctx.deps
    const { rows, hasMore } = await orUnavailable(TOO_MANY, () =>
      readRequests(pool, ctx.workspace, filter, pageOf(ctx.query)),
    )
    const data = rows.map((row) => presentRequest(row, ctx.livemode))
    return { status: 'ok', object: listOf(path, data, hasMore) }
  },
})

export const retrieveRequest = endpoint({
  method: 'GET',
  path: '/v1/requests/{id}',
  summary: 'Retrieve a request',
  description: 'By the `Request-Id` of its answer, within seconds of it.',
  tags: ['requests'],
  key: 'secret',
  params: idPath('req'),
  reply: LoggedRequest,
  errors: ['resource_missing'],
  handle: async (ctx) => {
    const row = await findRequest(ctx.deps.pool, ctx.workspace, ctx.params.id)
    if (row === undefined) return notFound('request', ctx.params.id)
    return { status: 'ok', object: presentRequest(row, ctx.livemode) }
  },
})
