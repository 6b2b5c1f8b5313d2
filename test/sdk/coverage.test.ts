import { Vinr } from '@vinr/sdk'
import { beforeAll, expect, test } from 'vitest'
import { ENDPOINTS } from '../../api/server/endpoints.ts'

/** Routes that no client of ours calls, and who does. */
const CALLED_BY_OTHERS = new Map([
  ['POST /v1/webhooks/payments/{}', 'payment providers'],
  ['POST /v1/webhooks/payments/{}/{}', 'payment providers'],
])

/** Without the tills' root paths, each of which is one under /v1 as well. */
const routes = ENDPOINTS.filter(({ path }) => path.startsWith('/v1/')).map(
  ({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`,
)
let sent: Set<string>

beforeAll(async () => {
  sent = await requestsOfEveryMethod()
})

test('every route has a method of the client', () => {
  const without = routes.filter((route) => !sent.has(route) && !CALLED_BY_OTHERS.has(route))
  expect(without).toEqual([])
})

test('a route that is excepted exists, and has no method', () => {
  for (const route of CALLED_BY_OTHERS.keys()) {
    expect([route, routes.includes(route), sent.has(route)]).toEqual([route, true, false])
  }
})

test('every method of the client calls a route', () => {
  const known = new Set(routes)
  expect([...sent].filter((route) => !known.has(route))).toEqual([])
})

/** Calls each method of each noun with an id that is recognised in the path. */
async function requestsOfEveryMethod(): Promise<Set<string>> {
  const found = new Set<string>()
  const vinr = new Vinr({
    secretKey: 'sk_test_x',
    baseUrl: 'http://api',
    fetch: async (url, { method }) => {
      found.add(`${method} ${decodeURIComponent(new URL(url).pathname)}`)
      return new Response('{"data": [], "has_more": false, "status": "completed"}')
    },
  })
  const { loyalty, webhooks: _, ...others } = vinr
  for (const noun of [...Object.values(loyalty), ...Object.values(others)]) {
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(noun))) {
      if (name !== 'constructor') await call(noun, name)
    }
  }
  return found
}

/** An id, an import with its batch, a stream without rows, or a body: whatever the method takes. */
const ANY = {
  toString: () => '{}',
  batch: '{}',
  async *[Symbol.asyncIterator]() {},
}

async function call(noun: object, name: string): Promise<void> {
  const method: unknown = Reflect.get(noun, name)
  if (typeof method !== 'function') throw new Error(`${name} is no method`)
  const result: unknown = Reflect.apply(method, noun, [ANY, {}])
  if (isGenerator(result)) await result.next()
  else await result
}

const isGenerator = (value: unknown): value is AsyncGenerator =>
  typeof value === 'object' && value !== null && 'next' in value
