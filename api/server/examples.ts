import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { underV1 } from './declaration.ts'

const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

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

type MediaExamples = { examples?: Record<string, { value: unknown }> }
type OperationExamples = {
  parameters?: { in: string; name: string; example?: unknown }[]
  requestBody?: { content: Record<string, MediaExamples> }
  responses: Record<string, { content?: Record<string, MediaExamples> }>
}
export type Paths = Readonly<Record<string, Readonly<Record<string, OperationExamples>>>>

/**
 * Puts each example beside the request and the answer that it is an example of; an alias at the root
 * has those of its route under `/v1`.
 */
export function addExamples(paths: Paths, examples: readonly Example[]): void {
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, documented] of Object.entries(operations)) {
      const operation = `${method.toUpperCase()} ${underV1(path)}`
      const own = examples.filter((example) => example.operation === operation)
      for (const example of own) show(documented, example)
      const taken = own.filter(({ response }) => response.status < 300)
      for (const parameter of documented.parameters ?? []) {
        parameter.example ??= given(taken, parameter)
      }
    }
  }
}

function show(documented: OperationExamples, { name, request, response }: Example): void {
  const sent = documented.requestBody?.content[request.type ?? 'application/json']
  // A body that the schema refuses is no example of that schema; its answer is one.
  if (sent !== undefined && request.body !== undefined && response.status !== 400) {
    sent.examples = { ...sent.examples, [name]: { value: request.body } }
  }
  for (const answered of Object.values(documented.responses[response.status]?.content ?? {})) {
    answered.examples = { ...answered.examples, [name]: { value: response.body } }
  }
}

function given(
  examples: readonly Example[],
  { in: place, name }: { in: string; name: string },
): unknown {
  const requests = examples.map(({ request }) => request)
  // What one request asked: of two, the names may exclude each other.
  if (place === 'query') return requests.find(({ query }) => query !== undefined)?.query?.[name]
  return requests
    .map(({ path, idempotencyKey }) => (place === 'path' ? path?.[name] : idempotencyKey))
    .find((value) => value !== undefined)
}
