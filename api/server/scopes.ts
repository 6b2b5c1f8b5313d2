import { SCOPES, type Scope } from '../../domain/scopes.ts'
import type { Endpoint } from './declaration.ts'

type Declared = Pick<Endpoint<never>, 'method' | 'path' | 'tags' | 'key' | 'scope'>

/**
 * What whoever calls the endpoint must hold: what its declaration says, else its first tag's, to read for a GET
 * and to write for every other method. Undefined where no key opens it. Throws where there is no such scope.
 */
export function scopeOf(declared: Declared): Scope | undefined {
  if (declared.key === 'none' || declared.key === 'session') return undefined
  const resource = declared.tags[0]?.replaceAll(' ', '_')
  const derived = `${resource}:${declared.method === 'GET' ? 'read' : 'write'}`
  const scope = declared.scope ?? SCOPES.find((known) => known === derived)
  if (scope === undefined) {
    throw new Error(
      `${declared.method} ${declared.path} declares no scope, and ${derived} is none.`,
    )
  }
  return scope
}
