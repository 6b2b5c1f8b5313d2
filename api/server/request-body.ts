import { withoutSecrets } from '../../process/log.ts'
import { type Endpoint, underV1 } from './declaration.ts'
import { REQUEST_FIELDS } from './request-fields.ts'

/** Which fields of a body are written down: a tree of their names. */
export type BodyFields = {
  /** Whether a text, number or truth value may stand here; null may anywhere. */
  isValue: boolean
  /** By name; `*` for those of a map, `[]` for the elements of a list. */
  readonly inside: Map<string, BodyFields>
}

const LONGEST_TEXT = 200
const MOST_ELEMENTS = 20 // of a list, and of a map
const LONGEST_NAME = 40

/** The fields of this route's body that are written down; undefined where none is. */
export function fieldsOf<D>({ method, path }: Pick<Endpoint<D>, 'method' | 'path'>) {
  const kept = REQUEST_FIELDS[`${method} ${underV1(path)}`]?.kept ?? []
  if (kept.length === 0) return undefined
  const fields = emptyFields()
  for (const field of kept) {
    let at = fields
    for (const name of namesOf(field)) {
      const inside = at.inside.get(name) ?? emptyFields()
      at.inside.set(name, inside)
      at = inside
    }
    at.isValue = true
  }
  return fields
}

const emptyFields = (): BodyFields => ({ isValue: false, inside: new Map() })

/** `tiers[].name`: tiers, [], name. */
const namesOf = (field: string): string[] => field.replaceAll('[]', '.[]').split('.')

/** What of a body is written down; undefined where nothing is. */
export function withFields(body: unknown, fields: BodyFields): unknown {
  if (typeof body !== 'object' || body === null) return undefined
  return pruned(body, fields)
}

function pruned(value: unknown, fields: BodyFields): unknown {
  if (value === null) return null
  if (typeof value === 'string') return fields.isValue ? shortened(value) : undefined
  if (typeof value !== 'object') return fields.isValue ? value : undefined
  if (fields.inside.size === 0) return undefined
  if (Array.isArray(value)) {
    const inside = fields.inside.get('[]')
    if (inside === undefined) return undefined
    return value.slice(0, MOST_ELEMENTS).map((element) => pruned(element, inside) ?? null)
  }
  const kept: Record<string, unknown> = {}
  for (const [name, inside] of fields.inside) {
    if (name === '*') keepAll(value, inside, kept)
    else if (Object.hasOwn(value, name)) kept[name] = pruned(Reflect.get(value, name), inside)
  }
  return kept
}

function keepAll(map: object, inside: BodyFields, kept: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(map).slice(0, MOST_ELEMENTS)) {
    if (name !== '__proto__') kept[shortened(name, LONGEST_NAME)] = pruned(value, inside)
  }
}

const UNSTORABLE = /[\0\p{Surrogate}]/gu

/** At most so long, and such as the database can hold. */
function shortened(text: string, longest: number = LONGEST_TEXT): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return withoutSecrets(cut).replace(UNSTORABLE, '\ufffd')
}
