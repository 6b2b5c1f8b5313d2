import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { Refused, refuse } from '../../domain/refusal.ts'
import { boundedRegExp, patternProblem } from './pattern.ts'

type Schema = Readonly<Record<string, unknown>>

// Room for a payload of a few dozen fields; compiling takes some milliseconds at most.
const MOST_BYTES = 16_384
const MOST_DEPTH = 20

const OPTIONS = {
  strict: 'log',
  logger: false,
  ownProperties: true,
  code: { regExp: boundedRegExp },
} as const

/**
 * The schema as a function, with formats. Refuses what is no JSON Schema 2020-12, is too large, or points
 * outside itself: nothing is ever fetched.
 */
export function compiled(schema: Schema): ValidateFunction {
  if (Buffer.byteLength(JSON.stringify(schema)) > MOST_BYTES)
    bad(`is larger than ${MOST_BYTES} bytes`)
  check(schema, 0)
  // one for each schema: an instance remembers every $id it has seen
  const ajv = new Ajv2020(OPTIONS)
  ajvFormats.default(ajv)
  try {
    return ajv.compile(schema)
  } catch (error) {
    return bad(error instanceof Error ? error.message : 'is no JSON Schema')
  }
}

function check(value: unknown, depth: number): void {
  if (depth > MOST_DEPTH) bad(`is nested deeper than ${MOST_DEPTH}`)
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries<unknown>({ ...value })) {
    if (
      (key === '$ref' || key === '$dynamicRef') &&
      typeof item === 'string' &&
      !item.startsWith('#')
    ) {
      bad(`${key} ${item} points outside the schema`)
    }
    if (key === 'pattern' && typeof item === 'string') checkPattern(item)
    if (key === 'patternProperties' && typeof item === 'object' && item !== null) {
      for (const [pattern] of Object.entries<unknown>({ ...item })) checkPattern(pattern)
    }
    if (key === '$schema' && item !== DRAFT) bad(`$schema must be ${DRAFT}`)
    if (key === '$async') bad('$async is not taken')
    check(item, depth + 1)
  }
}

function checkPattern(pattern: string): void {
  const problem = patternProblem(pattern)
  if (problem !== null) bad(`the pattern ${pattern} ${problem}`)
}

const DRAFT = 'https://json-schema.org/draft/2020-12/schema'

function bad(what: string): never {
  refuse('parameter_invalid', `schema: ${what}.`, { param: 'schema' })
}

const MOST_KEPT = 1_000
const kept = new Map<string, ValidateFunction>()

/** The compiled schema of one version of a type, which never changes; compiled once. */
export async function compiledVersion(
  workspace: string,
  { type, version }: { type: string; version: number },
  read: () => Promise<Schema | undefined>,
): Promise<ValidateFunction> {
  const key = `${workspace} ${type} ${version}`
  const known = kept.get(key)
  if (known !== undefined) return known
  const schema = await read()
  if (schema === undefined) throw new Error(`no version ${version} of event type ${type}`)
  const validate = compiled(schema)
  const oldest = kept.size >= MOST_KEPT ? kept.keys().next().value : undefined
  if (oldest !== undefined) kept.delete(oldest)
  kept.set(key, validate)
  return validate
}

/** Refuses (payload_invalid) a payload that the schema refuses, naming the path. */
export function checkPayload(validate: ValidateFunction, payload: unknown): void {
  if (validate(payload)) return
  const error = validate.errors?.[0]
  const missing: unknown = error?.params.missingProperty ?? error?.params.additionalProperty
  const within = (error?.instancePath ?? '').split('/').slice(1).map(unescaped)
  const path = ['payload', ...within, ...(typeof missing === 'string' ? [missing] : [])].join('.')
  throw new Refused({
    code: 'payload_invalid',
    message: `${path}: ${error?.message ?? 'is not what the event type says'}.`,
    param: path,
  })
}

const unescaped = (segment: string) => segment.replaceAll('~1', '/').replaceAll('~0', '~')
