import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../../db/migrate.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { member } from './till.ts'

let shop: Shop
let user: string

beforeAll(async () => {
  shop = await openShop()
  user = await member(shop, 0)
})
afterAll(() => shop.close())

let made = 0

/** An event type of its own with this schema of `value`, its one field; reports such a value. */
async function typeOf(value: unknown, more: object = {}) {
  const name = `SCHEMA_${++made}`
  const schema = { type: 'object', properties: { value }, ...more }
  const { status, body } = await shop.post('/v1/event_types', { name, schema })
  expect([status, body]).toMatchObject([201, { name }])
  return async (reported: unknown) => {
    const payload = { value: reported }
    const { status, body } = await shop.post('/v1/events', { type: name, user, payload })
    return status === 200 ? 'taken' : `${body.error.code} ${body.error.param}`
  }
}

const REFUSED = 'payload_invalid payload.value'
const THEN: object = JSON.parse('{"then": {"multipleOf": 5}}') // a linter takes a literal for a promise
const even = { type: 'object', properties: { n: { multipleOf: 2 } } }

describe('every keyword of JSON Schema 2020-12 is enforced', () => {
  it.each<[keyword: string, schema: unknown, taken: unknown, refused: unknown, where?: string]>([
    ['false', true, 1, undefined],
    ['type', { type: 'integer' }, 1, 1.5],
    ['type of several', { type: ['string', 'null'] }, null, 1],
    ['enum', { enum: ['a', 1, [2]] }, [2], 2],
    ['const', { const: { a: 1 } }, { a: 1 }, { a: 2 }],
    ['multipleOf', { multipleOf: 3 }, 9, 10],
    ['multipleOf of a fraction', { multipleOf: 0.01 }, 19.99, 19.995],
    ['multipleOf below the smallest coin', { multipleOf: 1e-7 }, 0.0000003, 0.00000035],
    ['multipleOf of what is large', { multipleOf: 7 }, 7e300, 1e300],
    ['maximum', { maximum: 5 }, 5, 6],
    ['exclusiveMaximum', { exclusiveMaximum: 5 }, 4.9, 5],
    ['minimum', { minimum: 5 }, 5, 4],
    ['exclusiveMinimum', { exclusiveMinimum: 5 }, 5.1, 5],
    ['maxLength, in characters', { maxLength: 2 }, '😀😀', 'abc'],
    ['minLength', { minLength: 2 }, 'ab', 'a'],
    ['pattern', { pattern: '^S[0-9]{3}$' }, 'S123', 'x'],
    ['maxItems', { maxItems: 1 }, [1], [1, 2]],
    ['minItems', { minItems: 2 }, [1, 2], [1]],
    ['uniqueItems', { uniqueItems: true }, [1, 2], [1, 1]],
    ['contains', { contains: { const: 1 } }, [2, 1], [2]],
    ['maxContains', { contains: { const: 1 }, maxContains: 1 }, [1, 2], [1, 1]],
    ['minContains', { contains: { const: 1 }, minContains: 2 }, [1, 1], [1]],
    ['maxProperties', { maxProperties: 1 }, { a: 1 }, { a: 1, b: 1 }],
    ['minProperties', { minProperties: 1 }, { a: 1 }, {}],
    ['required', { required: ['a'] }, { a: 1 }, {}, '.a'],
    ['dependentRequired', { dependentRequired: { a: ['b'] } }, { b: 1 }, { a: 1 }, '.b'],
    ['prefixItems', { prefixItems: [{ const: 1 }] }, [1, 2], [2], '.0'],
    ['items', { prefixItems: [true], items: { const: 2 } }, [1, 2], [1, 3], '.1'],
    ['properties', even, { n: 2 }, { n: 1 }, '.n'],
    [
      'patternProperties',
      { patternProperties: { '^n_': { const: 1 } } },
      { m_a: 2, n_a: 1 },
      { n_a: 2 },
      '.n_a',
    ],
    ['additionalProperties', { ...even, additionalProperties: false }, { n: 2 }, { m: 2 }, '.m'],
    [
      'additionalProperties as a schema',
      { additionalProperties: { const: 1 } },
      { a: 1 },
      { a: 2 },
      '.a',
    ],
    ['propertyNames', { propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }],
    ['allOf', { allOf: [{ minimum: 1 }, { maximum: 2 }] }, 2, 3],
    ['anyOf', { anyOf: [{ const: 1 }, { const: 2 }] }, 2, 3],
    ['oneOf', { oneOf: [{ minimum: 1 }, { minimum: 5 }] }, 3, 6],
    ['not', { not: { const: 1 } }, 2, 1],
    ['if and then', { if: { minimum: 5 }, ...THEN }, 3, 6],
    ['else', { if: { minimum: 5 }, else: { const: 1 } }, 1, 2],
    [
      'dependentSchemas',
      { dependentSchemas: { a: { required: ['b'] } } },
      { a: 1, b: 1 },
      { a: 1 },
      '.b',
    ],
    [
      'unevaluatedItems',
      { allOf: [{ prefixItems: [true] }], unevaluatedItems: false },
      [1],
      [1, 2],
    ],
    [
      'unevaluatedProperties',
      { allOf: [even], unevaluatedProperties: false },
      { n: 2 },
      { m: 1 },
      '.m',
    ],
    ['$ref', { $ref: '#/$defs/even' }, { n: 2 }, { n: 1 }, '.n'],
    ['$anchor', { $ref: '#even' }, { n: 2 }, { n: 1 }, '.n'],
  ])('%s', async (_keyword, schema, taken, refused, where = '') => {
    const report = await typeOf(schema, {
      $defs: { even: { $anchor: 'even', ...even } },
    })
    expect(await report(taken)).toBe('taken')
    if (refused !== undefined) expect(await report(refused)).toBe(`${REFUSED}${where}`)
  })

  it.each([
    ['date', '2026-02-28', '2026-02-30'],
    ['time', '12:30:00Z', '25:30:00Z'],
    ['date-time', '2026-02-28T12:30:00+01:00', '2026-02-28'],
    ['duration', 'P3DT4H', '3 days'],
    ['hostname', 'shop.example.com', '-shop'],
    ['ipv4', '192.0.2.1', '192.0.2.256'],
    ['ipv6', '2001:db8::1', '2001:db8::g'],
    ['uri', 'https://example.com/a', '//example.com'],
    ['uri-reference', '/a?b#c', '\\a'],
    ['uri-template', '/a/{b}', '/a/{b'],
    ['uuid', '2eb8aa08-aa98-11ea-b4aa-73b441d16380', '2eb8aa08'],
    ['json-pointer', '/a/0', 'a/0'],
    ['relative-json-pointer', '1/a', '/a'],
    ['regex', '^a+$', '('],
  ])('the format %s', async (format, taken, refused) => {
    const report = await typeOf({ type: 'string', format })
    expect([await report(taken), await report(refused)]).toEqual(['taken', REFUSED])
  })
})

describe('a pattern', () => {
  it('is its own schema’s, whatever other patterns there are', async () => {
    const letters = await typeOf({ pattern: '^[a-z]+$' })
    const digits = await typeOf(
      { pattern: '^[0-9]+$' },
      { patternProperties: { '^v': { pattern: '^.{3}$' } } },
    )
    expect([await letters('abc'), await letters('123')]).toEqual(['taken', REFUSED])
    expect([await digits('123'), await digits('abc'), await digits('1234')]).toEqual([
      'taken',
      REFUSED,
      REFUSED,
    ])
  })

  it('holds for texts of at most 256 characters', async () => {
    const report = await typeOf({ pattern: '^[A-Z]+-[0-9]+$' })
    expect(await report('AB-12')).toBe('taken')
    expect(await report(`${'A'.repeat(300)}-1`)).toBe(REFUSED)
  })

  it.each([
    '^(a+)+$',
    '^(a|aa)*$',
    '.*.*.*.*x',
    `^${'a?'.repeat(22)}${'a'.repeat(22)}$`,
    '(?<n>(x+x+)+y)',
  ])('%s takes no longer than its text is worth', async (pattern) => {
    const report = await typeOf({ pattern })
    expect(await report(`${'a'.repeat(255)}!`)).toBe(REFUSED)
  })

  it('that RE2 does not take, and that is stored from before, costs its own event and nobody else’s', async () => {
    const schema = { properties: { value: { pattern: '^(?=a)(a+)+$' } } }
    await stored('FROM_BEFORE', schema)
    const strangers = await shop.stranger()
    const sold = await shop.post('/v1/event_types', { name: 'SOLD' }, { key: strangers })
    expect(sold.status).toBe(201)
    const account = await shop.post('/v1/loyalty/accounts', {}, { key: strangers })
    const order: string[] = []
    const report = (value: string) =>
      shop.post('/v1/events', { type: 'FROM_BEFORE', user, payload: { value } })
    const sell = () => {
      const body = { type: 'SOLD', user: account.body.id, payload: {} }
      return shop.post('/v1/events', body, { key: strangers })
    }
    const both = await Promise.all([report('aaa'), sell()]) // each with a thread that has started
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    expect((await report('b')).body.error).toMatchObject({ param: 'payload.value' })
    const [slow] = await Promise.all([
      report(`${'a'.repeat(60)}!`).then((answer) => {
        order.push('slow')
        return answer
      }),
      ...[1, 2, 3].map(async () => {
        const { status } = await sell()
        order.push(`sold ${status}`)
      }),
    ])
    expect([slow.status, slow.body.error]).toMatchObject([
      400,
      {
        code: 'payload_invalid',
        param: 'payload',
        message: expect.stringContaining('took longer than 1000 ms'),
      },
    ])
    expect(order).toEqual(['sold 200', 'sold 200', 'sold 200', 'slow'])
    expect(shop.lines.some((line) => line.includes('^(?=a)(a+)+$'))).toBe(true)
  })
})

describe('a schema that multiplies', () => {
  const levels = (count: number, join: string, last: object) => {
    const $defs: Record<string, object> = { [`l${count}`]: last }
    for (let level = 0; level < count; level++) {
      const next = { $ref: `#/$defs/l${level + 1}` }
      $defs[`l${level}`] = { [join]: [next, next] }
    }
    return { $ref: '#/$defs/l0', $defs }
  }
  const within = (count: number) => {
    const $defs: Record<string, object> = { [`l${count}`]: {} }
    for (let level = 0; level < count; level++) {
      const next = { $ref: `#/$defs/l${level + 1}` }
      $defs[`l${level}`] = { properties: { a: { allOf: [next, next] } } }
    }
    return { $ref: '#/$defs/l0', $defs }
  }
  it.each([
    ['by allOf', levels(29, 'allOf', {}), 'has more than 5000 subschemas'],
    ['by anyOf', levels(24, 'anyOf', { const: 1 }), 'has more than 5000 subschemas'],
    ['a level of the payload at a time', within(15), 'has more than 5000 subschemas'],
    ['by leading to itself', { $ref: '#' }, 'only leads to itself'],
    [
      'by leading to itself in a part',
      { properties: { a: { $ref: '#/properties/a' } } },
      'only leads to itself',
    ],
    [
      'by leading to itself by a name',
      { $anchor: 'me', not: { $ref: '#me' } },
      'only leads to itself',
    ],
    [
      'by a reference that Ajv does not follow',
      { $dynamicAnchor: 'me', properties: { a: { $dynamicRef: '#me' } } },
      '$dynamicRef is not taken',
    ],
    ['by two that lead to each other', levels2(), 'only leads to itself'],
    [
      'under a name that is no keyword',
      { $ref: '#/mine/a', mine: { a: { $ref: '#/mine/a' } } },
      'only leads to itself',
    ],
    [
      'by a pattern under such a name',
      { $ref: '#/mine/a', mine: { a: { pattern: '(?=a)' } } },
      'the pattern (?=a)',
    ],
  ])('%s is refused', async (_how, schema, message) => {
    const { status, body } = await shop.post('/v1/event_types', {
      name: `DOUBLE_${++made}`,
      schema,
    })
    expect([status, body.error]).toMatchObject([
      400,
      { code: 'parameter_invalid', param: 'schema', message: expect.stringContaining(message) },
    ])
  })

  it.each([
    ['multiplies', levels(40, 'allOf', {})], // a fast core takes under a second for 27
    ['fills the memory', levels(24, 'anyOf', { const: 1 })],
    ['only leads to itself', { $ref: '#' }],
  ])(
    'and stored from before %s: its events are refused, and the server goes on',
    async (how, schema) => {
      const name = `BEFORE_${how.replaceAll(' ', '_')}`
      await stored(name, schema)
      const { status, body } = await shop.post('/v1/events', { type: name, user, payload: {} })
      expect([status, body.error]).toMatchObject([
        400,
        { code: 'payload_invalid', param: 'payload' },
      ])
      expect((await shop.get('/v1/event_types/BEFORE_multiplies')).status).toBe(200)
    },
  )

  it('as deep as its payload is fine', async () => {
    const $defs = {
      term: {
        properties: {
          and: { type: 'array', items: { $ref: '#/$defs/term' } },
          or: { type: 'array', items: { $ref: '#/$defs/term' } },
          not: { $ref: '#/$defs/term' },
        },
        additionalProperties: false,
      },
    }
    const report = await typeOf({ $ref: '#/$defs/term' }, { $defs })
    expect(await report({ and: [{ or: [] }, { not: {} }] })).toBe('taken')
    expect(await report({ and: [{ or: [] }, { nor: {} }] })).toBe(`${REFUSED}.and.1.nor`)
  })
})

it('stored from before that no new one may be is listed by migrate', async () => {
  const $defs = { x: { properties: { a: { pattern: '(?!b)' }, b: { pattern: '^a$' } } } }
  await stored('LISTED', { $defs, $ref: '#/$defs/x' })
  await stored('ENDLESS', { $ref: '#' })
  const lines: string[] = []
  const { ownerUrl, url: applicationUrl, workspace } = shop
  await migrate({ ownerUrl, applicationUrl, onProgress: (line) => lines.push(line) })
  const listed = (name: string) =>
    lines.filter((line) => line.startsWith(`event type ${name} of ${workspace}: `))
  expect(listed('LISTED')).toEqual([expect.stringContaining('the pattern (?!b) is not taken')])
  expect(listed('ENDLESS')).toEqual([expect.stringContaining('only leads to itself')])
  expect(listed('SCHEMA_1')).toEqual([])
})

function levels2() {
  return { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }
}

/** An event type as an older version of the server took it. */
async function stored(name: string, schema: object): Promise<void> {
  const { body } = await shop.post('/v1/event_types', { name })
  const { rowCount } = await shop.owner.query(
    `with type as (
       update event_type set schema = $3, version = 2 where workspace = $1 and id = $2 returning *)
     insert into event_type_version (workspace, event_type, version, schema)
     select workspace, id, version, schema from type`,
    [shop.workspace, body.id, JSON.stringify(schema)],
  )
  expect(rowCount).toBe(1)
}
