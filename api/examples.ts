import { readFileSync } from 'node:fs'
import { z } from 'zod'

const values = z.record(z.string(), z.union([z.string(), z.number()]))

/** A request and what it was answered, as a test of test/examples sent and got it. */
const Example = z.strictObject({
  /** `POST /v1/loyalty/accounts` */
  operation: z.string(),
  name: z.string(),
  request: z.strictObject({
    path: values.optional(),
    query: values.optional(),
    headers: z.record(z.string(), z.string()).optional(),
    idempotencyKey: z.string().optional(),
    type: z.string().optional(),
    body: z.unknown().optional(),
  }),
  response: z.strictObject({ status: z.number().int(), body: z.unknown() }),
})

export type Example = z.output<typeof Example>

const FILE = new URL('examples.json', import.meta.url)

/** The examples that the last run of test/examples kept; that run fails where they are stale. */
export function keptExamples(): Example[] {
  return z.array(Example).parse(JSON.parse(readFileSync(FILE, 'utf8')))
}

type Shown = { examples?: Record<string, { value: unknown }> }
type Documented = {
  parameters?: { in: string; name: string; example?: unknown }[]
  requestBody?: { content: Record<string, Shown> }
  responses: Record<string, { content?: Record<string, Shown> }>
}
export type Paths = Readonly<Record<string, Readonly<Record<string, Documented>>>>

/** Puts each example beside the request and the answer that it is an example of. */
export function addExamples(paths: Paths, examples: readonly Example[]): void {
  for (const { operation, name, request, response } of examples) {
    const [method = '', path = ''] = operation.split(' ')
    const documented = paths[path]?.[method.toLowerCase()]
    if (documented === undefined) continue // its test says so; the document has no place for it
    const json = 'application/json'
    const sent = documented.requestBody?.content[request.type ?? json]
    // A body that the schema refuses is no example of that schema; its answer is one.
    if (sent !== undefined && request.body !== undefined && response.status !== 400) {
      sent.examples = { ...sent.examples, [name]: { value: request.body } }
    }
    for (const answered of Object.values(documented.responses[response.status]?.content ?? {})) {
      answered.examples = { ...answered.examples, [name]: { value: response.body } }
    }
    for (const parameter of documented.parameters ?? []) {
      parameter.example ??= given(request, parameter)
    }
  }
}

function given(request: Example['request'], { in: place, name }: { in: string; name: string }) {
  if (place === 'path') return request.path?.[name]
  return place === 'query' ? request.query?.[name] : request.idempotencyKey
}
