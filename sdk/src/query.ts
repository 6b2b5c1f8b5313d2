/** `{ created: { gte: 5 } }` is `created[gte]=5`. */
export function queryOf(query: object | undefined): string {
  const search = new URLSearchParams()
  const entries: [string, unknown][] = Object.entries(query ?? {})
  for (const [name, value] of entries) {
    if (value === undefined || value === null) continue
    if (typeof value === 'object' && !(value instanceof Date)) {
      for (const [inner, one] of Object.entries(value)) {
        if (one !== undefined) search.set(`${name}[${inner}]`, textOf(one))
      }
    } else search.set(name, textOf(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

const textOf = (value: unknown) => (value instanceof Date ? value.toISOString() : String(value))
