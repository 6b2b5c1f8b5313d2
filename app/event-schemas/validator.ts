import type { FuncKeywordDefinition } from 'ajv'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { matcherOf } from '../../domain/pattern.ts'

const OPTIONS = {
  strict: 'log',
  logger: false,
  ownProperties: true,
  inlineRefs: false, // code no longer than the schema, however often it refers to a part
  code: { regExp: matching },
} as const

/** Ajv keeps what this returns by its text: without one of its own, every schema had the first one's pattern. */
function matching(pattern: string) {
  return { ...matcherOf(pattern), toString: () => `/${pattern}/u` }
}
// the name by which code made from a schema would find it; nothing here writes such code
matching.code = 'matching'

export type Schema = Readonly<Record<string, unknown>>

/** A schema's own text, which was an object when it was defined. */
export function parseSchema(text: string): Schema {
  const schema: unknown = JSON.parse(text)
  if (!isObject(schema)) throw new Error('a schema is a JSON object')
  return schema
}

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null

let draft: Ajv2020 | undefined

/** What makes it no JSON Schema 2020-12, or null. */
export function schemaFault(schema: Schema): string | null {
  draft ??= new Ajv2020({ logger: false })
  return draft.validateSchema(schema) === true ? null : draft.errorsText(draft.errors)
}

/** The schema as a function, with formats. Throws where it cannot be compiled. */
export function compiled(schema: Schema): ValidateFunction {
  // one for each schema: an instance remembers every $id it has seen
  const ajv = new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false })
  ajvFormats.default(ajv)
  ajv.removeKeyword(multipleOf.keyword)
  ajv.addKeyword(multipleOf)
  return ajv.compile(schema)
}

/** What a schema refuses, and where in the payload. */
export type Fault = { readonly path: string; readonly message: string }

export function faultOf(validate: ValidateFunction, payload: unknown): Fault | null {
  if (validate(payload)) return null
  const [error] = validate.errors ?? []
  return { path: pathOf(error), message: error?.message ?? 'is not what the event type says' }
}

function pathOf(error: ErrorObject | undefined): string {
  const { missingProperty, additionalProperty, unevaluatedProperty }: Record<string, unknown> =
    error?.params ?? {}
  const named = missingProperty ?? additionalProperty ?? unevaluatedProperty
  const within = (error?.instancePath ?? '').split('/').slice(1).map(unescaped)
  return ['payload', ...within, ...(typeof named === 'string' ? [named] : [])].join('.')
}

const unescaped = (segment: string) => segment.replaceAll('~1', '/').replaceAll('~0', '~')

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/

/** Whether one JSON number divides another, as both are written: 19.99 is 1,999 times 0.01. */
function isMultiple(value: number, of: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(of)) return value % of === 0
  const [a, b] = [scaled(value), scaled(of)]
  const scale = Math.max(a.scale, b.scale)
  const units = ({ digits, scale: own }: Decimal) => digits * 10n ** BigInt(scale - own)
  return units(a) % units(b) === 0n
}

type Decimal = { readonly digits: bigint; readonly scale: number }

function scaled(value: number): Decimal {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(String(value)) ?? []
  return { digits: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length - Number(exponent) }
}

/** Ajv's own divides in floating point, and refuses 19.99 as a multiple of 0.01. */
const multipleOf = {
  keyword: 'multipleOf',
  type: 'number',
  schemaType: 'number',
  errors: false,
  error: { message: ({ schema }) => `must be multiple of ${schema}` },
  validate: (of: number, value: number) => isMultiple(value, of),
} satisfies FuncKeywordDefinition
