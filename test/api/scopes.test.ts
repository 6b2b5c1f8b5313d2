import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { scopeOf } from '../../api/server/scopes.ts'
import { workspaceCommands } from '../../app/workspaces.ts'
import { SCOPES, type Scope } from '../../domain/scopes.ts'
import { openShop, type Shop } from './shop.ts'

type Route = { method: string; path: string; scope: Scope }

/** Every route that a key opens; PATCH is answered under POST as well. */
const routes: Route[] = ENDPOINTS.flatMap((endpoint) => {
  const scope = scopeOf(endpoint)
  if (scope === undefined) return []
  const { method, path } = endpoint
  const posted = ENDPOINTS.some((other) => other.method === 'POST' && other.path === path)
  const methods = method === 'PATCH' && !posted ? [method, 'POST'] : [method]
  return methods.map((one) => ({ method: one, path, scope }))
})

let shop: Shop
const keys = new Map<string, string>()
beforeAll(async () => {
  shop = await openShop({ worker: false })
  const { createKey } = workspaceCommands(shop)
  for (const scope of SCOPES) {
    const others = SCOPES.filter((other) => other !== scope)
    const only = await createKey(shop.workspace, 'secret', { scopes: [scope] })
    const without = await createKey(shop.workspace, 'secret', { scopes: others })
    keys.set(`only ${scope}`, only.key)
    keys.set(`without ${scope}`, without.key)
  }
})
afterAll(() => shop.close())

/** The route with ids that nobody has, and no body. */
function send({ method, path }: Route, key: string | undefined): request.Test {
  const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete'
  const agent = request(shop.app)
  return agent[verb](path.replace(/\{\w+\}/g, 'nobody')).set('X-Api-Key', key ?? '')
}

describe.each(routes)('$method $path, which needs $scope', (route) => {
  it('is 403 for a key with every other scope, and names the one that is missing', async () => {
    const { status, body } = await send(route, keys.get(`without ${route.scope}`))
    expect([status, body.error.code, body.error.scope]).toEqual([
      403,
      'key_not_allowed',
      route.scope,
    ])
  })

  it('opens to a key with that scope alone', async () => {
    const { status, body } = await send(route, keys.get(`only ${route.scope}`))
    expect([401, 403], body.error?.message).not.toContain(status)
  })

  it('says so in the documentation', async () => {
    const { body } = await request(shop.app).get('/openapi.json')
    const operation = body.paths[route.path][route.method.toLowerCase()]
    const { scope } = route
    expect(operation.security).toEqual([
      { apiKey: [scope] },
      { bearer: [scope] },
      { session: [scope] },
    ])
    expect(operation.description).toContain(`\`${scope}\``)
  })
})

it('each scope opens some route', () => {
  const opened = new Set(routes.map(({ scope }) => scope))
  // a pair for each tag, also where nothing is written: these come of other writes
  const idle = SCOPES.filter((scope) => !opened.has(scope))
  expect(idle).toEqual(['events:write', 'requests:write', 'search:write', 'store_credit:write'])
})

it('what writes needs a scope to write, but for what is sent by POST and only reads', () => {
  const odd = routes.filter(({ method, scope }) => (method === 'GET') !== scope.endsWith(':read'))
  expect([...new Set(odd.map(({ path }) => path.replace(/^\/v1/, '')))].sort()).toEqual([
    '/loyalty/accounts/{id}/export',
    '/loyalty/earning_previews',
    '/loyalty/quotes',
    '/members/lookup',
    '/reactors/{id}/dry_run',
  ])
})
