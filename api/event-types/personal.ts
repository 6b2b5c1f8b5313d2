import { kindOfKey } from '../../domain/personal-data.ts'
import { refuse } from '../../domain/refusal.ts'

/** Refuses a schema that asks for personal data by a property's name, before a till ever sends any. */
export function refusePersonalProperties(schema: unknown, path = 'schema', personal = true): void {
  if (typeof schema !== 'object' || schema === null) return
  for (const [key, value] of Object.entries<unknown>({ ...schema })) {
    if (key !== 'properties' || typeof value !== 'object' || value === null) {
      if (key !== 'enum' && key !== 'const' && key !== 'examples' && key !== 'default') {
        refusePersonalProperties(value, `${path}.${key}`, personal)
      }
      continue
    }
    for (const [name, property] of Object.entries<unknown>({ ...value })) {
      const place = `${path}.properties.${name}`
      const kind = isFlag(property) ? null : kindOfKey(name, personal)
      if (kind !== null) {
        refuse('payload_personal_data', `${place}: looks like ${kind}. Report no personal data.`, {
          param: place,
        })
      }
      refusePersonalProperties(property, place, kindOfKey(`${name}_name`, false) !== null)
    }
  }
}

const isFlag = (property: unknown) =>
  typeof property === 'object' &&
  property !== null &&
  'type' in property &&
  property.type === 'boolean'
