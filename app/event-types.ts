import { LRUCache } from 'lru-cache'
import {
  type EventTypeChange,
  type EventTypeRow,
  insertEventType,
  listEventTypeVersions,
  lockEventType,
  type NewEventType,
  updateEventType,
} from '../db/event-types.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import type { Pool } from '../db/pool.ts'
import { kindOfKey } from '../domain/personal-data.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import type { Checks } from './event-schemas/checks.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'

/** The writers of event types. */
export function eventTypeCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Refused (parameter_invalid): a name that is taken. */
    createEventType: (
      request: RequestIdentity,
      values: NewEventType,
    ): Promise<Written<EventTypeRow>> =>
      idempotent(pool, request, {
        noun: 'event type',
        id: values.id,
        write: async (tx) => {
          const row = await insertEventType(tx, values)
          if (row !== undefined) return row
          const { name } = values
          const existing = await lockEventType(tx, request.workspace, name)
          const message = `name: there is an event type ${name} already; update its schema.`
          return refuse('parameter_invalid', message, { param: 'name', resource: existing?.id })
        },
        find: lockEventType,
      }),

    /** By its id or its name. */
    updateEventType: (
      request: RequestIdentity,
      idOrName: string,
      change: EventTypeChange,
    ): Promise<Written<EventTypeRow>> =>
      changeOnce(pool, request, {
        noun: 'event type',
        id: idOrName,
        lock: lockEventType,
        change: (tx, { id }) => updateEventType(tx, request.workspace, id, change),
      }),
  }
}

/**
 * Refuses (parameter_invalid) what is no JSON Schema 2020-12, is too large, multiplies, leads only to
 * itself, points outside itself (nothing is ever fetched), or has a pattern that may take long.
 */
export async function checkSchema(
  { checks }: { readonly checks: Checks },
  workspace: string,
  schema: object,
): Promise<void> {
  const tried = await checks.trySchema(workspace, schema)
  if (tried.outcome !== 'unusable') return
  refuse('parameter_invalid', `schema: ${tried.reason}.`, { param: 'schema' })
}

type Version = { readonly type: string; readonly version: number }

const MOST_KEPT = 1_000 // of 16 KB each at most
const kept = new LRUCache<string, string>({ max: MOST_KEPT })

/** Refuses (payload_invalid) a payload that this version of its event type refuses, naming the path. */
export async function checkPayload(
  deps: { readonly pool: Pool; readonly checks: Checks },
  workspace: string,
  version: Version,
  payload: unknown,
): Promise<void> {
  const key = `${workspace} ${version.type} ${version.version}`
  const schema = kept.get(key) ?? (await readSchema(deps, workspace, version))
  kept.set(key, schema)
  const checked = await deps.checks.check({ workspace, key, schema }, payload)
  if (checked.outcome === 'invalid') {
    const { path, message } = checked.fault
    throw new Refused({ code: 'payload_invalid', message: `${path}: ${message}.`, param: path })
  }
  if (checked.outcome === 'unusable') {
    const message = `payload: its event type's schema cannot check it: ${checked.reason}.`
    refuse('payload_invalid', message, { param: 'payload' })
  }
}

/** The schema's text. A version never changes. */
async function readSchema(
  { pool }: { readonly pool: Pool },
  workspace: string,
  { type, version }: Version,
) {
  const versions = await listEventTypeVersions(pool, workspace, type)
  const found = versions.find((one) => one.version === version)
  if (found === undefined) throw new Error(`no version ${version} of event type ${type}`)
  return JSON.stringify(found.schema)
}

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
