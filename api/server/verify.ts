import { isDeepStrictEqual } from 'node:util'
import { Refused } from '../../domain/refusal.ts'
import type { Endpoint } from './declaration.ts'
import { EVERYWHERE, WITH_A_BODY } from './errors.ts'

/**
 * The same endpoint, failing where it answers something that it does not
 * declare: a field, a type or an error code missing from the documentation.
 * For tests; it parses every reply.
 */
export function verified<D>(endpoint: Endpoint<D>): Endpoint<D> {
  const codes = new Set([...EVERYWHERE, ...WITH_A_BODY, 'resource_missing', ...endpoint.errors])
  const name = `${endpoint.method} ${endpoint.path}`

  const run: Endpoint<D>['run'] = async (call) => {
    const reply = await endpoint.run(call).catch((error: unknown) => {
      if (error instanceof Refused && !codes.has(error.refusal.code)) {
        throw new Error(`${name} does not declare the error ${error.refusal.code}`, {
          cause: error,
        })
      }
      throw error
    })
    const sent: unknown = JSON.parse(JSON.stringify(reply.object))
    const parsed = endpoint.reply.safeParse(sent)
    if (!parsed.success)
      throw new Error(`${name} answered what it does not declare`, { cause: parsed.error })
    if (!isDeepStrictEqual(parsed.data, sent)) {
      throw new Error(`${name} answered fields that it does not declare: ${JSON.stringify(sent)}`)
    }
    return reply
  }
  return { ...endpoint, run }
}
