import { describe, expect, it } from 'vitest'
import { underV1 } from '../../api/server/declaration.ts'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { openApiDocument } from '../../api/server/openapi.ts'
import { fieldsOf, withFields } from '../../api/server/request-body.ts'
import { REQUEST_FIELDS, type RequestFields } from '../../api/server/request-fields.ts'

type Schema = {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema | boolean
} & { [some in 'anyOf' | 'oneOf' | 'allOf']?: Schema[] }

const document = openApiDocument(ENDPOINTS, '0.0.0')
const schemas = document.components?.schemas as Record<string, Schema>

/** The paths at which a value may stand: `a.b`, `a[].b`, `a.*`. */
function pathsOf(schema: Schema, at = ''): string[] {
  if (schema.$ref !== undefined) {
    const referenced = schemas[schema.$ref.replace(/.*\//, '')]
    if (referenced === undefined) throw new Error(`no ${schema.$ref}`)
    return pathsOf(referenced, at)
  }
  const under = (name: string) => (at === '' ? name : `${at}.${name}`)
  const inner = [
    ...[schema.anyOf, schema.oneOf, schema.allOf].flatMap((some = []) =>
      some.flatMap((one) => pathsOf(one, at)),
    ),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => pathsOf(one, under(name))),
    ...(schema.items === undefined ? [] : pathsOf(schema.items, `${at}[]`)),
    ...(typeof schema.additionalProperties === 'object'
      ? pathsOf(schema.additionalProperties, under('*'))
      : []),
  ]
  if (inner.length > 0) return inner
  return at === '' || schema.type === 'null' ? [] : [at]
}

const routes = ENDPOINTS.filter(({ body, raw }) => body !== undefined && !raw).map(
  ({ method, path }) => {
    const name = `${method} ${underV1(path)}`
    const verb = method.toLowerCase() as 'post'
    const { requestBody } = document.paths?.[path]?.[verb] ?? {}
    const content = requestBody !== undefined && 'content' in requestBody ? requestBody.content : {}
    const paths = [...new Set(pathsOf(content['application/json']?.schema as Schema))]
    return { name, paths }
  },
)

const isLeft = ({ left }: RequestFields, path: string) =>
  left.some(
    (name) =>
      name === '*' ||
      path === name ||
      (/^[.[]/.test(path.slice(name.length)) && path.startsWith(name)),
  )

describe('the request log', () => {
  it.each(routes)(
    'keeps or leaves out each field of $name, and knows no other',
    ({ name, paths }) => {
      const fields = REQUEST_FIELDS[name] ?? { kept: [], left: [] }
      const undecided = paths.filter((path) => fields.kept.includes(path) === isLeft(fields, path))
      expect(undecided).toEqual([])
      expect(fields.kept.filter((path) => !paths.includes(path))).toEqual([])
      const idle = fields.left.filter(
        (one) => !paths.some((path) => isLeft({ kept: [], left: [one] }, path)),
      )
      expect(idle).toEqual([])
    },
  )

  it('names no route that takes no body', () => {
    const known = new Set(routes.map(({ name }) => name))
    expect(Object.keys(REQUEST_FIELDS).filter((name) => !known.has(name))).toEqual([])
  })

  it('keeps no field of a name that is always secret or personal', () => {
    const never =
      /metadata|shipping|phone|token|secret|password|reason|payload|customer|card$|user$|tracking|url$|email|(^|\W)code$/
    const kept = Object.values(REQUEST_FIELDS).flatMap((fields) => fields.kept)
    // a currency's code is EUR
    expect(kept.filter((path) => never.test(path) && path !== 'currency.code')).toEqual([])
  })
})

describe('a body in the request log', () => {
  const of = (route: string, body: unknown) => {
    const [method = '', path = ''] = route.split(' ')
    const fields = fieldsOf({ method: method as 'POST', path: path as '/' })
    return fields === undefined ? undefined : withFields(body, fields)
  }

  it('is without what is not allowed, known or unknown, at any depth', () => {
    const body = {
      account: 'loy_1',
      reward: 'rwd_1',
      quantity: 2,
      shipping: { name: 'Mira Olsen', line1: 'Storgata 12' },
      metadata: { gift: 'for Mira' },
      comment: 'Mira',
      __proto__: { account: 'x' },
    }
    expect(of('POST /v1/loyalty/redemptions', body)).toEqual({
      account: 'loy_1',
      reward: 'rwd_1',
      quantity: 2,
    })
  })

  it('has no object where a value belongs, and no value where an object does', () => {
    const body = { account: { phone: '+47 1' }, reward: ['Mira'], quantity: null, variant: true }
    expect(of('POST /v1/loyalty/redemptions', body)).toEqual({ quantity: null, variant: true })
    expect(of('POST /v1/loyalty/programs', { currency: 'Mira', expiry: ['Mira'] })).toEqual({})
    expect(of('POST /v1/loyalty/redemptions', 'Mira')).toBeUndefined()
    expect(of('POST /v1/loyalty/redemptions', null)).toBeUndefined()
  })

  it('has the first twenty of a list, and the first two hundred characters of a text', () => {
    const transactions = Array.from({ length: 30 }, (_, n) => ({
      account: 'loy_1',
      amount: n,
      reason: 'Mira',
    }))
    const batch = of('POST /v1/loyalty/transactions/batch', { transactions }) as {
      transactions: object[]
    }
    expect(batch.transactions).toHaveLength(20)
    expect(batch.transactions[19]).toEqual({ account: 'loy_1', amount: 19 })
    const named = of('POST /v1/loyalty/rewards', { name: 'x'.repeat(300) })
    expect(named).toEqual({ name: `${'x'.repeat(200)}…` })
  })

  it('has no key or secret wherever one was put, and nothing that the database cannot hold', () => {
    const name = 'our sk_test_0123456789abcdef and whsec_c2VjcmV0 \0 \ud800'
    expect(of('POST /v1/loyalty/rewards', { name })).toEqual({
      name: 'our sk_test_[redacted] and whsec_[redacted] \ufffd \ufffd',
    })
  })

  it('is nothing at a route of which nothing is kept, and the same at its path of the root', () => {
    expect(of('PUT /v1/settings', { greeting: 'Mira' })).toBeUndefined()
    expect(of('PUT /settings', { greeting: 'Mira' })).toBeUndefined()
    expect(of('POST /members/lookup', { till: 'till-1', phone: '+47 1' })).toEqual({
      till: 'till-1',
    })
  })
})
