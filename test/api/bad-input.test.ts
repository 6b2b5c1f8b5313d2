import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { appOfThings, SECRET } from './things.ts'

const { app, seen } = appOfThings()
const post = (path = '/v1/things') => request(app).post(path).set('X-Api-Key', SECRET)
const json = (body: string) => post().set('Content-Type', 'application/json').send(body)
const account = 'loy_1'

describe('a body that cannot be read', () => {
  it('is refused as invalid_json where it is malformed, in the one error shape', async () => {
    const { status, body, headers } = await json('{"account": "loy_1",')
    expect(status).toBe(400)
    expect(body).toEqual({
      error: {
        type: 'invalid_request_error',
        code: 'invalid_json',
        message: 'The body is not valid JSON.',
        doc_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/docs\/errors#invalid_json$/),
        request_id: headers['request-id'],
      },
    })
  })

  it('is refused as body_too_large at 10 MB, whether its length is announced or not', async () => {
    const tenMegabytes = JSON.stringify({ account, name: 'x'.repeat(10_000_000) })
    const announced = await json(tenMegabytes)
    expect([announced.status, announced.body.error.code]).toEqual([413, 'body_too_large'])
    const chunked = post()
      .set('Content-Type', 'application/json')
      .set('Transfer-Encoding', 'chunked')
    chunked.write(tenMegabytes)
    const unannounced = await chunked
    expect([unannounced.status, unannounced.body.error.code]).toEqual([413, 'body_too_large'])
  })

  it('is refused as unsupported_media_type where it is a form, has no type, or an odd charset', async () => {
    const answers = [
      await post().type('form').send({ account }),
      await post().set('Content-Type', 'text/plain').send('{"account":"loy_1"}'),
      await post()
        .set('Content-Type', 'application/json; charset=latin9')
        .send('{"account":"loy_1"}'),
      await post()
        .set('Content-Type', 'application/json')
        .set('Content-Encoding', 'zap')
        .send('{}'),
    ]
    for (const { status, body } of answers) {
      expect([status, body.error.code]).toEqual([415, 'unsupported_media_type'])
    }
  })

  it('is refused as parameter_invalid where it is JSON but no object', async () => {
    for (const bare of ['5', '"loy_1"', '[]', 'null', 'true']) {
      const { status, body } = await json(bare)
      expect([bare, status, body.error?.code]).toEqual([bare, 400, 'parameter_invalid'])
    }
  })

  it('is refused as invalid_json where it is no UTF-8, whatever the bytes would stand for', async () => {
    for (const bytes of ['c328', 'ff', 'eda080', 'f0288cbc']) {
      const body = Buffer.concat([
        Buffer.from(`{"account":"${account}","name":"`),
        Buffer.from(bytes, 'hex'),
        Buffer.from('"}'),
      ])
      const sent = post().set('Content-Type', 'application/json; charset=utf-8')
      sent.write(body)
      const { status, body: answer } = await sent
      expect([bytes, status, answer.error?.code]).toEqual([bytes, 400, 'invalid_json'])
    }
  })

  it('may be compressed, and is measured as it unpacks', async () => {
    const { gzipSync } = await import('node:zlib')
    const bomb = gzipSync(JSON.stringify({ account, name: 'x'.repeat(10_000_000) }))
    const sent = post().set('Content-Type', 'application/json').set('Content-Encoding', 'gzip')
    sent.write(bomb)
    const { status, body } = await sent
    expect([status, body.error.code]).toEqual([413, 'body_too_large'])
  })
})

describe('a body with something wrong in it', () => {
  const cases: readonly [string, unknown, string, string][] = [
    ['an unknown field', { account, foo: 1 }, 'parameter_unknown', 'foo'],
    [
      'a mistyped field, before the missing one',
      { acount: account },
      'parameter_unknown',
      'acount',
    ],
    [
      'an unknown field inside',
      { account, shipping: { city: 'Oslo', country: 'NO', zip: 1 } },
      'parameter_unknown',
      'shipping.zip',
    ],
    [
      '__proto__ as a field',
      JSON.parse('{"account":"loy_1","__proto__":{"x":1}}'),
      'parameter_unknown',
      '__proto__',
    ],
    ['a missing field', {}, 'parameter_missing', 'account'],
    [
      'a missing field inside',
      { account, shipping: { city: 'Oslo' } },
      'parameter_missing',
      'shipping.country',
    ],
    ['null for a text', { account: null }, 'parameter_invalid', 'account'],
    ['a number for a text', { account: 5 }, 'parameter_invalid', 'account'],
    ['another kind of id', { account: 'rwd_1' }, 'parameter_invalid', 'account'],
    ['an id with a quote', { account: "loy_1'--" }, 'parameter_invalid', 'account'],
    [
      'an id of 70 characters',
      { account: `loy_${'x'.repeat(70)}` },
      'parameter_invalid',
      'account',
    ],
    ['negative money', { account, amount: -1 }, 'parameter_invalid', 'amount'],
    ['fractional money', { account, amount: 5.5 }, 'parameter_invalid', 'amount'],
    ['money as a text', { account, amount: '500' }, 'parameter_invalid', 'amount'],
    ['money beyond 10^12', { account, amount: 1_000_000_000_001 }, 'parameter_invalid', 'amount'],
    ['money of 1e400', '{"account":"loy_1","amount":1e400}', 'parameter_invalid', 'amount'],
    [
      'money that no double holds',
      '{"account":"loy_1","amount":123456789012345678901234567890}',
      'parameter_invalid',
      'amount',
    ],
    ['an unknown currency', { account, currency: 'EUX' }, 'parameter_invalid', 'currency'],
    ['a currency of two letters', { account, currency: 'EU' }, 'parameter_invalid', 'currency'],
    ['points as a text', { account, points: '5' }, 'parameter_invalid', 'points'],
    ['points beyond all reason', { account, points: 1e15 }, 'parameter_invalid', 'points'],
    ['a NUL in a text', '{"account":"loy_1","name":"a\\u0000b"}', 'parameter_invalid', 'name'],
    [
      'half a surrogate pair',
      '{"account":"loy_1","name":"a\\ud800b"}',
      'parameter_invalid',
      'name',
    ],
    ['an empty text', { account, name: '' }, 'parameter_invalid', 'name'],
    [
      'a wrong branch of a union',
      { account, discounts: [{ redemption: 'x' }] },
      'parameter_invalid',
      'discounts.0.redemption',
    ],
    [
      'an unknown field in a union',
      { account, discounts: [{ code: 'A' }, { code: 'A', foo: 1 }] },
      'parameter_unknown',
      'discounts.1.foo',
    ],
    [
      'a union that is no object',
      { account, discounts: ['rdm_1'] },
      'parameter_invalid',
      'discounts.0',
    ],
    ['metadata that is a list', { account, metadata: [] }, 'parameter_invalid', 'metadata'],
    [
      'a metadata value that is a number',
      { account, metadata: { a: 1 } },
      'parameter_invalid',
      'metadata.a',
    ],
    [
      'a metadata value of 501 characters',
      { account, metadata: { a: 'x'.repeat(501) } },
      'parameter_invalid',
      'metadata.a',
    ],
    [
      'a metadata key of 41 characters',
      { account, metadata: { ['k'.repeat(41)]: 'x' } },
      'parameter_invalid',
      `metadata.${'k'.repeat(41)}`,
    ],
    [
      '51 metadata keys',
      {
        account,
        metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])),
      },
      'parameter_invalid',
      'metadata',
    ],
  ]

  it.each(cases)('is refused by name: %s', async (_title, body, code, param) => {
    const before = seen.handled.length
    const answer = await json(typeof body === 'string' ? body : JSON.stringify(body))
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      400,
      code,
      param,
    ])
    expect(answer.body.error.message).toContain(param)
    expect(seen.handled.length).toBe(before)
  })

  it('is accepted at the edges: 50 keys, 500 characters, no decimals lost, either case of a currency', async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`k${i}`, 'x'.repeat(500)]),
    )
    const answer = await post().send({
      account,
      amount: 1_000_000_000_000,
      currency: 'EUR',
      points: -0.1,
      metadata,
    })
    expect(answer.status).toBe(201)
    expect(answer.body.saw.body).toEqual({
      account,
      amount: 1_000_000_000_000,
      currency: 'eur',
      points: -0.1,
      metadata,
    })
  })
})

describe('a path or a query with something wrong in it', () => {
  const get = (path: string) => request(app).get(path).set('X-Api-Key', SECRET)
  const cases: readonly [string, number, string, string | undefined][] = [
    ['/v1/nothing', 404, 'resource_missing', undefined],
    ['/nothing', 404, 'resource_missing', undefined],
    ['/V1/things', 404, 'resource_missing', undefined],
    ['/v1/failures/%E0%A4%A', 400, 'parameter_invalid', undefined],
    ['/v1/things?foo=1', 400, 'parameter_unknown', 'foo'],
    ['/v1/things?limit=0', 400, 'parameter_invalid', 'limit'],
    ['/v1/things?limit=101', 400, 'parameter_invalid', 'limit'],
    ['/v1/things?limit=1e1', 400, 'parameter_invalid', 'limit'],
    ['/v1/things?limit=', 400, 'parameter_invalid', 'limit'],
    ['/v1/things?limit=1&limit=2', 400, 'parameter_invalid', 'limit'],
    ['/v1/things?limit[]=1', 400, 'parameter_invalid', 'limit'],
    ['/v1/things?limit[x]=1', 400, 'parameter_invalid', 'limit'],
    ['/v1/things?account=rwd_1', 400, 'parameter_invalid', 'account'],
    ['/v1/things?starting_after=nonsense', 400, 'parameter_invalid', 'starting_after'],
    [
      '/v1/things?starting_after=ptx_1&ending_before=ptx_2',
      400,
      'parameter_invalid',
      'ending_before',
    ],
    ['/v1/things?created=1717113600', 400, 'parameter_invalid', 'created'],
    ['/v1/things?created[near]=1717113600', 400, 'parameter_unknown', 'created.near'],
    ['/v1/things?created[gte]=yesterday', 400, 'parameter_invalid', 'created.gte'],
    ['/v1/things?created[gte]=2026-13-01', 400, 'parameter_invalid', 'created.gte'],
    ['/v1/things?__proto__[limit]=1', 200, '', undefined],
  ]

  it.each(cases)('%s is %i %s', async (path, status, code, param) => {
    const answer = await get(path)
    expect([answer.status, answer.body.error?.code ?? '', answer.body.error?.param]).toEqual([
      status,
      code,
      param,
    ])
  })

  it('is 404 where an id in the path cannot be one', async () => {
    const answer = await request(app).patch('/v1/things/rwd_1').set('X-Api-Key', SECRET).send({})
    expect([answer.status, answer.body.error.code]).toEqual([404, 'resource_missing'])
  })

  it('is 405 with an Allow header where the path exists under other methods', async () => {
    const { status, body, headers } = await request(app).delete('/v1/things')
    expect([status, body.error.code, body.error.type, headers.allow]).toEqual([
      405,
      'method_not_allowed',
      'invalid_request_error',
      'GET, HEAD, POST',
    ])
  })

  it.each(['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs', '/docs/errors'])(
    'is 405 where %s is written to',
    async (path) => {
      const { status, body, headers } = await request(app).post(path)
      expect([status, body.error?.code, headers.allow]).toEqual([
        405,
        'method_not_allowed',
        'GET, HEAD',
      ])
    },
  )

  it('is refused where a POST brings a query', async () => {
    const answer = await post('/v1/things?dry_run=1').send({ account })
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      400,
      'parameter_unknown',
      'dry_run',
    ])
  })
})

describe('an Idempotency-Key', () => {
  it('of 255 characters is accepted, of 256 or 300 or none refused', async () => {
    const send = (key: string) => post().set('Idempotency-Key', key).send({ account })
    expect((await send('k'.repeat(255))).status).toBe(201)
    for (const key of ['k'.repeat(256), 'k'.repeat(300), '']) {
      const { status, body } = await send(key)
      expect([status, body.error.code, body.error.param]).toEqual([
        400,
        'parameter_invalid',
        'Idempotency-Key',
      ])
    }
  })
})
