import { listEventTypeVersions } from '../../db/event-types.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import type { Deps } from '../server/deps.ts'

/**
 * Refuses (parameter_invalid) what is no JSON Schema 2020-12, is too large, multiplies, leads only to
 * itself, points outside itself (nothing is ever fetched), or has a pattern that may take long.
 */
export async function checkSchema(
  { checks }: Deps,
  workspace: string,
  schema: object,
): Promise<void> {
  const tried = await checks.trySchema(workspace, schema)
  if (tried.outcome !== 'unusable') return
  refuse('parameter_invalid', `schema: ${tried.reason}.`, { param: 'schema' })
}

type Version = { readonly type: string; readonly version: number }

const MOST_KEPT = 1_000 // of 16 KB each at most
const kept = new Map<string, string>()

/** Refuses (payload_invalid) a payload that this version of its event type refuses, naming the path. */
export async function checkPayload(
  deps: Deps,
  workspace: string,
  version: Version,
  payload: unknown,
): Promise<void> {
  const key = `${workspace} ${version.type} ${version.version}`
  const schema = kept.get(key) ?? keep(key, await readSchema(deps, workspace, version))
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
async function readSchema({ pool }: Deps, workspace: string, { type, version }: Version) {
  const versions = await listEventTypeVersions(pool, workspace, type)
  const found = versions.find((one) => one.version === version)
  if (found === undefined) throw new Error(`no version ${version} of event type ${type}`)
  return JSON.stringify(found.schema)
}

function keep(key: string, schema: string): string {
  const oldest = kept.size >= MOST_KEPT ? kept.keys().next().value : undefined
  if (oldest !== undefined) kept.delete(oldest)
  kept.set(key, schema)
  return schema
}
