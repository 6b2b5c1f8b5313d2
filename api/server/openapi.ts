import { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { ERROR_CODES, type ErrorCode, Refused } from '../../domain/refusal.ts'
import type { Scope } from '../../domain/scopes.ts'
import type { Endpoint } from './declaration.ts'
import { ERRORS, EVERYWHERE, WITH_A_BODY } from './errors.ts'
import { addExamples, type Example, type Paths } from './examples.ts'
import { registerWebhooks } from './openapi-webhooks.ts'
import { scopeOf } from './scopes.ts'

const ABOUT = `Loyalty accounts, points, rewards and redemptions.

Every POST, PATCH, PUT and DELETE takes an \`Idempotency-Key\`: send the same one again after a timeout, and what it asks for
is done once; the answer is the object as it is then, with \`Idempotent-Replayed: true\`. A refused request leaves its key unused.
PATCH is also answered under POST. Money is integer minor units; points are numbers in the program's decimals.`

const ErrorReply = z
  .object({
    error: z.looseObject({
      type: z.enum([...new Set(Object.values(ERRORS).map(({ type }) => type))]),
      code: z.enum(ERROR_CODES),
      message: z.string(),
      param: z.string().optional(),
      doc_url: z.string(),
      request_id: z.string(),
      resource: z.string().optional(),
    }),
  })
  .meta({ id: 'Error', description: 'Fields of the code stand beside the fixed ones.' })

const WriteHeaders = z.strictObject({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'The same key gives the same object, however often it is sent.' }),
  'Vinr-Actor': z.string().optional().meta({
    description:
      'Names a person of your own back office as `<id>[; name="…"]`, in UTF-8: what the request writes has them as `actor.on_behalf_of`. It gives no rights.',
    example: 'e-1841; name="Anna"',
  }),
})

/** The OpenAPI 3.1 document of the endpoints, from the schemas that validate them. */
export function openApiDocument<D>(
  endpoints: readonly Endpoint<D>[],
  version: string,
  examples: readonly Example[] = [],
) {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-Api-Key',
    description:
      '`sk_…` for what its scopes name, `pk_…` for rewards on sale and quotes of one, without numbers of points.',
  })
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  registry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'vinr_session',
    description:
      'A person who signed in (`POST /v1/sessions`); behind https `__Host-vinr_session`. The workspace is named by `Vinr-Workspace`, and a write carries `Vinr-Csrf-Token`.',
  })
  const posts = new Set(endpoints.filter(({ method }) => method === 'POST').map(({ path }) => path))
  for (const endpoint of endpoints) {
    register(registry, endpoint)
    const { method, path, summary } = endpoint
    if (method !== 'PATCH' || posts.has(path)) continue
    register(registry, { ...endpoint, method: 'POST', summary: `${summary} (as PATCH)` })
  }
  registerWebhooks(registry)
  const document = new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'VINR Engagement', version, description: ABOUT },
    servers: [{ url: '/' }],
    tags: tagsOf(endpoints),
  })
  addExamples(document.paths as Paths, examples) // what the generator just made of `register`
  return document
}

function register<D>(registry: OpenAPIRegistry, endpoint: Endpoint<D>): void {
  const { method, path, summary, tags, params, query } = endpoint
  const scope = scopeOf(endpoint)
  const asked = scope === undefined ? undefined : `Scope \`${scope}\`.`
  const description = [endpoint.description, asked].filter(Boolean).join(' ') || undefined
  registry.registerPath({
    method: lower(method),
    path,
    operationId: operationId(endpoint),
    summary,
    description,
    tags: [...tags],
    security: securityOf(endpoint.key, scope),
    request: {
      params,
      query,
      headers: method === 'GET' || endpoint.raw ? undefined : WriteHeaders,
      body: bodyOf(endpoint),
    },
    responses: { ...successes(endpoint), ...failures(endpoint) },
  })
}

/** Who opens it; what they must hold stands as the roles of the scheme. */
function securityOf(key: Endpoint['key'], scope: Scope | undefined): Record<string, string[]>[] {
  if (key === 'session') return [{ session: [] }]
  if (scope === undefined) return []
  return [{ apiKey: [scope] }, { bearer: [scope] }, { session: [scope] }]
}

function bodyOf<D>({ body, accepts = [] }: Endpoint<D>) {
  const content = Object.fromEntries(accepts.map((media) => [media, { schema: z.string() }]))
  if (body !== undefined) {
    const required = !body.safeParse({}).success // no body is one without fields
    return { required, content: { 'application/json': { schema: body } } }
  }
  return accepts.length === 0 ? undefined : { required: true, content }
}

const SUCCESS = { 200: 'As it is now.', 201: 'Created.', 202: 'Accepted.' } as const

const WAITS = 'Above its asker’s limit: what it waits for, also in answer to a repeat.'

function successes<D>({ reply, media, waits, successCodes = [200] }: Endpoint<D>) {
  const content = { [media ?? 'application/json']: { schema: reply } }
  const done = Object.fromEntries(
    successCodes.map((code) => [code, { description: SUCCESS[code], content }]),
  )
  return {
    ...done,
    ...(waits && {
      202: { description: WAITS, content: { 'application/json': { schema: waits } } },
    }),
  }
}

function failures<D>(endpoint: Endpoint<D>) {
  // a session names a workspace, which its person may not be of
  const isWorkspaces = endpoint.key === 'secret' || endpoint.key === 'publishable'
  const codes = new Set([
    ...endpoint.errors,
    ...EVERYWHERE.filter(
      (code) => endpoint.key !== 'none' || ERRORS[code].status > 403 || ERRORS[code].status === 400,
    ),
    ...(endpoint.body === undefined ? [] : WITH_A_BODY),
    ...(endpoint.params === undefined && !isWorkspaces ? [] : (['resource_missing'] as const)),
  ])
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of [...codes].sort()) {
    const { status } = ERRORS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const content = { 'application/json': { schema: ErrorReply } }
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      status,
      { description: `\`${some.join('`, `')}\``, content },
    ]),
  )
}

function operationId<D>({ method, path }: Endpoint<D>): string {
  const words = path
    .replace(/^\/v1\//, '')
    .split(/[^\w]+/)
    .filter(Boolean)
  // what is answered at both paths is two operations
  const place = path.startsWith('/v1/') ? [] : ['at_root']
  return [method.toLowerCase(), ...words, ...place].join('_')
}

function tagsOf<D>(endpoints: readonly Endpoint<D>[]) {
  return [...new Set(endpoints.flatMap(({ tags }) => tags))].map((name) => ({ name }))
}

function lower(method: Endpoint['method']) {
  const names = { GET: 'get', POST: 'post', PATCH: 'patch', PUT: 'put', DELETE: 'delete' } as const
  return names[method]
}

/**
 * The same endpoint, failing where it answers something that it does not
 * declare: a field, a type or an error code missing from the documentation.
 * For tests; it parses every reply.
 */
export function verified<D>(endpoint: Endpoint<D>): Endpoint<D> {
  const codes = new Set([...EVERYWHERE, ...WITH_A_BODY, 'resource_missing', ...endpoint.errors])
  const name = `${endpoint.method} ${endpoint.path}`

  const run: Endpoint<D>['run'] = async (call) => {
    const reply = await endpoint.run(call).catch((error: unknown) => {
      if (error instanceof Refused && !codes.has(error.refusal.code)) {
        throw new Error(`${name} does not declare the error ${error.refusal.code}`, {
          cause: error,
        })
      }
      throw error
    })
    if (reply.object instanceof Readable) return reply
    const sent: unknown = JSON.parse(JSON.stringify(reply.object))
    const isWaiting = reply.status === 'waiting' && endpoint.waits !== undefined
    const schema = isWaiting ? endpoint.waits : endpoint.reply
    const parsed = schema.safeParse(sent)
    if (!parsed.success)
      throw new Error(`${name} answered what it does not declare`, { cause: parsed.error })
    if (!isDeepStrictEqual(parsed.data, sent)) {
      throw new Error(`${name} answered fields that it does not declare: ${JSON.stringify(sent)}`)
    }
    return reply
  }
  return { ...endpoint, run }
}
