import { parentPort } from 'node:worker_threads'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import { schemaProblems } from '../../domain/json-schema.ts'
import {
  compiled,
  type Fault,
  faultOf,
  parseSchema,
  type Schema,
  schemaFault,
} from './validator.ts'

/**
 * The thread that merchants' schemas run in: one job at a time, stopped from outside where it takes too
 * long. Schemas and payloads come as JSON text, which costs less than a clone.
 */

/** `key` names a version of an event type for good; its schema comes with it until the thread has it. */
export type Job = { schema: string } | { key: string; schema?: string; payload: string }

/** `problems` is why nobody may define the schema any more; said once, when the thread gets it. */
export type JobResult = { problems?: string[] } & (
  | { outcome: 'ready' | 'valid' | 'schema_wanted' }
  | { outcome: 'invalid'; fault: Fault }
  | { outcome: 'unusable'; reason: string }
)

const MOST_KEPT_BYTES = 1_000_000 // of schemas' text; compiled some thirty times as much
const kept = new Map<string, { validate: ValidateFunction; bytes: number }>()
let keptBytes = 0

function done(job: Job): JobResult {
  try {
    return 'payload' in job ? checked(job) : tried(parseSchema(job.schema))
  } catch (error) {
    // RangeError: a schema from before self-reference was refused has run out of stack
    return { outcome: 'unusable', reason: error instanceof Error ? error.message : String(error) }
  }
}

function tried(schema: Schema): JobResult {
  const [reason = schemaFault(schema)] = schemaProblems(schema)
  if (reason !== null) return { outcome: 'unusable', reason }
  compiled(schema)
  return { outcome: 'valid' }
}

function checked({ key, schema, payload }: Extract<Job, { payload: string }>): JobResult {
  const known = kept.get(key)?.validate
  if (known === undefined && schema === undefined) return { outcome: 'schema_wanted' }
  const { validate, problems } =
    known === undefined ? keep(key, schema ?? '') : { validate: known, problems: undefined }
  const fault = faultOf(validate, JSON.parse(payload))
  return { ...(fault === null ? { outcome: 'valid' } : { outcome: 'invalid', fault }), problems }
}

function keep(key: string, text: string) {
  const schema = parseSchema(text)
  const validate = compiled(schema)
  kept.set(key, { validate, bytes: text.length })
  keptBytes += text.length
  for (const [oldest, { bytes }] of kept) {
    if (keptBytes <= MOST_KEPT_BYTES) break
    kept.delete(oldest)
    keptBytes -= bytes
  }
  return { validate, problems: [...schemaProblems(schema)] }
}

const answer = (done: JobResult) => parentPort?.postMessage(done, [])

parentPort?.on('message', (job: Job) => answer(done(job)))
answer({ outcome: 'ready' })
