import { patternProblem } from './pattern.ts'

type Json = Readonly<Record<string, unknown>>
type Place = { readonly schema: unknown; readonly base: Json }

// Room for a payload of a few dozen fields.
const MOST_BYTES = 16_384
// As if each reference were written out: two references a level would double the work with each level.
const MOST_SUBSCHEMAS = 5_000
const DRAFT = 'https://json-schema.org/draft/2020-12/schema'

/** Where a keyword's subschemas apply: to the same value, to what is within it, or nowhere by themselves. */
type Applies = 'same' | 'within' | 'aside'
const KEYWORDS = new Map<string, { holds: 'one' | 'list' | 'map'; applies: Applies }>([
  ['allOf', { holds: 'list', applies: 'same' }],
  ['anyOf', { holds: 'list', applies: 'same' }],
  ['oneOf', { holds: 'list', applies: 'same' }],
  ['not', { holds: 'one', applies: 'same' }],
  ['if', { holds: 'one', applies: 'same' }],
  ['then', { holds: 'one', applies: 'same' }],
  ['else', { holds: 'one', applies: 'same' }],
  ['dependentSchemas', { holds: 'map', applies: 'same' }],
  ['dependencies', { holds: 'map', applies: 'same' }],
  ['prefixItems', { holds: 'list', applies: 'within' }],
  ['items', { holds: 'one', applies: 'within' }],
  ['contains', { holds: 'one', applies: 'within' }],
  ['unevaluatedItems', { holds: 'one', applies: 'within' }],
  ['properties', { holds: 'map', applies: 'within' }],
  ['patternProperties', { holds: 'map', applies: 'within' }],
  ['additionalProperties', { holds: 'one', applies: 'within' }],
  ['unevaluatedProperties', { holds: 'one', applies: 'within' }],
  ['propertyNames', { holds: 'one', applies: 'within' }],
  ['$defs', { holds: 'map', applies: 'aside' }],
  ['definitions', { holds: 'map', applies: 'aside' }],
])
const DATA = new Set(['const', 'enum', 'default', 'examples'])

/** Why no event type may have this schema from now on, each reason a phrase after its name; none: it may. */
export function* schemaProblems(schema: Json): Generator<string> {
  if (new TextEncoder().encode(JSON.stringify(schema)).length > MOST_BYTES) {
    yield `is larger than ${MOST_BYTES} bytes`
    return
  }
  const anchors = anchorsOf(schema)
  yield* problemsWithin({ schema, base: schema }, anchors, new Set())
  const problem = expansionProblem(schema, anchors)
  if (problem !== null) yield problem
}

function* problemsWithin(place: Place, anchors: Anchors, seen: Set<unknown>): Generator<string> {
  const { schema } = place
  if (!isObject(schema) || seen.has(schema)) return
  seen.add(schema)
  if (Object.hasOwn(schema, '$schema') && schema.$schema !== DRAFT) yield `$schema must be ${DRAFT}`
  if (Object.hasOwn(schema, '$async')) yield '$async is not taken'
  for (const pattern of patternsOf(schema)) {
    const problem = patternProblem(pattern)
    if (problem !== null) yield `the pattern ${pattern} ${problem}`
  }
  // Ajv follows one to the wrong schema; within a single schema $ref says the same
  if (Object.hasOwn(schema, '$dynamicRef')) yield '$dynamicRef is not taken: refer by $ref'
  const reference = referenceOf(schema)
  if (reference !== undefined) {
    const target = targetOf(reference, place, anchors)
    if (!reference.startsWith('#')) yield `$ref ${reference} points outside the schema`
    else if (target === undefined) yield `$ref ${reference} names nothing`
    else yield* problemsWithin(target, anchors, seen)
  }
  for (const sub of subschemas(place)) yield* problemsWithin(sub, anchors, seen)
}

class Unbounded extends Error {}

/**
 * Counts what one value is held against, references followed. One that comes back to where it is being
 * followed is fine where it has gone on into the value, whose depth then ends it, and endless where not.
 */
function expansionProblem(root: Json, anchors: Anchors): string | null {
  const depthOf = new Map<unknown, number>()
  let count = 0
  const expand = (place: Place, depth: number): void => {
    if (++count > MOST_SUBSCHEMAS) {
      throw new Unbounded(`has more than ${MOST_SUBSCHEMAS} subschemas, with what it refers to`)
    }
    const { schema } = place
    if (!isObject(schema)) return
    const entered = depthOf.get(schema)
    if (entered === depth) throw new Unbounded('has a reference that only leads to itself')
    if (entered !== undefined) return
    depthOf.set(schema, depth)
    const reference = referenceOf(schema)
    const target = reference === undefined ? undefined : targetOf(reference, place, anchors)
    if (target !== undefined) expand(target, depth)
    for (const sub of subschemas(place)) {
      if (sub.applies !== 'aside') expand(sub, sub.applies === 'within' ? depth + 1 : depth)
    }
    depthOf.delete(schema)
  }
  try {
    expand({ schema: root, base: root }, 0)
    return null
  } catch (error) {
    if (error instanceof Unbounded) return error.message
    throw error
  }
}

function* subschemas({ schema, base }: Place): Generator<Place & { applies: Applies }> {
  if (!isObject(schema)) return
  for (const [keyword, { holds, applies }] of KEYWORDS) {
    const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined
    const within = holds === 'one' ? [value] : isHolder(value) ? Object.values(value) : []
    for (const one of within) yield { schema: one, base: baseOf(one, base), applies }
  }
}

function patternsOf(schema: Json): string[] {
  const { pattern, patternProperties } = { ...schema }
  const names = isObject(patternProperties) ? Object.keys(patternProperties) : []
  return typeof pattern === 'string' ? [pattern, ...names] : names
}

const referenceOf = ({ ...schema }: Json) =>
  typeof schema.$ref === 'string' ? schema.$ref : undefined

/** Named parts, by their base: the schema with the nearest $id around them. */
type Anchors = ReadonlyMap<Json, ReadonlyMap<string, Json>>

function anchorsOf(root: Json): Anchors {
  const anchors = new Map<Json, Map<string, Json>>()
  const visit = (value: unknown, outer: Json): void => {
    if (!isHolder(value)) return
    const base = baseOf(value, outer)
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const name = isObject(value) && Object.hasOwn(value, keyword) ? value[keyword] : undefined
      if (typeof name !== 'string' || !isObject(value)) continue
      anchors.set(base, (anchors.get(base) ?? new Map<string, Json>()).set(name, value))
    }
    for (const [key, item] of Object.entries(value)) if (!DATA.has(key)) visit(item, base)
  }
  visit(root, root)
  return anchors
}

/** What a reference within the schema names: all of it, a place, or a name. */
function targetOf(reference: string, { base }: Place, anchors: Anchors): Place | undefined {
  const name = fragmentOf(reference)
  if (name === undefined) return undefined
  if (name === '') return { schema: base, base }
  if (name.startsWith('/')) return pointed(name, base)
  const schema = anchors.get(base)?.get(name)
  return schema && { schema, base }
}

function fragmentOf(reference: string): string | undefined {
  try {
    return decodeURIComponent(reference.slice(1))
  } catch {
    return undefined // no URI: it names nothing
  }
}

function pointed(pointer: string, start: Json): Place | undefined {
  let place: Place = { schema: start, base: start }
  for (const step of pointer.slice(1).split('/')) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isHolder(place.schema) || !Object.hasOwn(place.schema, name)) return undefined
    const schema: unknown = Reflect.get(place.schema, name)
    place = { schema, base: baseOf(schema, place.base) }
  }
  return isObject(place.schema) || typeof place.schema === 'boolean' ? place : undefined
}

const baseOf = (schema: unknown, outer: Json): Json =>
  isObject(schema) && Object.hasOwn(schema, '$id') && typeof schema.$id === 'string'
    ? schema
    : outer

const isHolder = (value: unknown): value is Json | readonly unknown[] =>
  typeof value === 'object' && value !== null
const isObject = (value: unknown): value is Json => isHolder(value) && !Array.isArray(value)
