import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { appOfThings, PUBLISHABLE, SECRET } from './things.ts'

const { app } = appOfThings({ verifyReplies: true })
const as = (test: request.Test) => test.set('X-Api-Key', SECRET)
const create = (body: object, key?: string) => {
  const sent = as(request(app).post('/v1/things'))
  return (key === undefined ? sent : sent.set('Idempotency-Key', key)).send(body)
}

describe('an answer', () => {
  it('is 201 for a create, 200 and marked for a replay, 200 for the rest', async () => {
    const created = await create({ account: 'loy_1' })
    expect([created.status, created.headers['idempotent-replayed']]).toEqual([201, undefined])
    const replayed = await create({ account: 'loy_1', name: 'again' })
    expect([replayed.status, replayed.headers['idempotent-replayed']]).toEqual([200, 'true'])
    const read = await as(request(app).get('/v1/things'))
    expect([read.status, read.headers['idempotent-replayed']]).toEqual([200, undefined])
  })

  it('carries its own request id, whatever id the caller sent', async () => {
    const one = await create({ account: 'loy_1' }).set('Request-Id', 'req_mine')
    const other = await request(app).get('/v1/nothing').set('X-Request-Id', 'req_mine')
    expect(one.headers['request-id']).toMatch(/^req_[0-9A-Za-z]{22}$/)
    expect(other.headers['request-id']).toMatch(/^req_[0-9A-Za-z]{22}$/)
    expect(other.body.error.request_id).toBe(other.headers['request-id'])
    expect(other.headers['request-id']).not.toBe(one.headers['request-id'])
  })

  it('is secured and never cached', async () => {
    const { headers } = await create({ account: 'loy_1' })
    expect(headers['x-powered-by']).toBeUndefined()
    expect(headers.etag).toBeUndefined()
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['strict-transport-security']).toBeDefined()
  })
})

describe('an operation', () => {
  it('is the same for the same key, and another for another key, route or none', async () => {
    const first = await create({ account: 'loy_1' }, 'cart-1')
    const again = await create({ account: 'loy_2' }, 'cart-1')
    const other = await create({ account: 'loy_1' }, 'cart-2')
    const route = await as(request(app).post('/v1/things/merge')).set('Idempotency-Key', 'cart-1')
    const none = [await create({ account: 'loy_1' }), await create({ account: 'loy_1' })]
    expect(first.body.id).toMatch(/^op_[0-9A-Za-z]{22}$/)
    expect(again.body.id).toBe(first.body.id)
    const ids = [first, other, route, ...none].map(({ body }) => body.id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has one fingerprint for one body in any key order, and another for another body', async () => {
    const send = async (body: string) => {
      const sent = as(request(app).post('/v1/things')).set('Content-Type', 'application/json')
      return (await sent.send(body)).body.saw.fingerprint
    }
    const plain = await send('{"account":"loy_1","shipping":{"city":"Oslo","country":"NO"}}')
    expect(await send('{ "shipping":{"country":"NO","city":"Oslo"},\n"account":"loy_1" }')).toBe(
      plain,
    )
    expect(await send('{"account":"loy_1","shipping":{"city":"Oslo","country":"SE"}}')).not.toBe(
      plain,
    )
  })
})

describe('a route', () => {
  it('declared under PATCH answers under POST as well, as the same operation', async () => {
    const [patch, post] = [
      request(app).patch('/v1/things/loy_1'),
      request(app).post('/v1/things/loy_1'),
    ]
    const [one, two] = await Promise.all(
      [patch, post].map((test) => as(test).set('Idempotency-Key', 'k').send({ name: 'x' })),
    )
    expect([one?.status, two?.status]).toEqual([200, 200])
    expect(two?.body).toEqual(one?.body)
  })

  it('with a literal segment is not taken for an id', async () => {
    const answer = await as(request(app).post('/v1/things/merge'))
    expect(answer.body.saw).toBe('merge')
  })

  it('gets the bytes of its body as they came where its signature is over them', async () => {
    const bytes = '{ "a" : 1 }\r\n\u00ff'
    const answer = await request(app)
      .post('/v1/webhooks/sandbox')
      .set('Content-Type', 'application/octet-stream')
      .set('X-Signature', 't=1,v1=00')
      .send(Buffer.from(bytes, 'latin1'))
    expect(answer.body).toEqual({ id: 'raw', saw: { bytes, signature: 't=1,v1=00' } })
  })

  it('with a raw body takes up to 1 MB', async () => {
    const send = (size: number) =>
      request(app)
        .post('/v1/webhooks/sandbox')
        .type('application/octet-stream')
        .send(Buffer.alloc(size))
    expect((await send(1_000_000)).status).toBe(200)
    const { status, body } = await send(1_100_000)
    expect([status, body.error.code]).toEqual([413, 'body_too_large'])
  })

  it('that a publishable key opens may be called from a page of another origin, preflight included', async () => {
    const preflight = await request(app).options('/v1/things').set('Origin', 'https://shop.example')
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe('*')
    expect(preflight.headers['access-control-allow-headers']).toContain('X-Api-Key')
    const read = await request(app).get('/v1/things').set('X-Api-Key', PUBLISHABLE)
    expect(read.headers['access-control-allow-origin']).toBe('*')
    const closed = await as(request(app).patch('/v1/things/loy_1')).send({})
    expect(closed.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('a list', () => {
  const page = async (query: string) => (await as(request(app).get(`/v1/things?${query}`))).body

  it('is asked for by limit, cursor and time, in unix seconds or ISO 8601', async () => {
    expect(await page('')).toEqual({
      object: 'list',
      url: '/v1/things',
      data: [{ id: 'page', saw: { limit: 20 } }],
      has_more: false,
    })
    const asked = await page(
      'limit=5&starting_after=ptx_1&account=loy_1&created[gte]=1717113600&created[lt]=2024-06-01T02:00:00%2B02:00',
    )
    expect(asked.data[0].saw).toEqual({
      limit: 5,
      startingAfter: 'ptx_1',
      account: 'loy_1',
      created: { gte: '2024-05-31T00:00:00.000Z', lt: '2024-06-01T00:00:00.000Z' },
    })
  })
})

describe('replies under verification', () => {
  it('fail where a handler answers a field that its schema does not declare', async () => {
    const { z } = await import('zod')
    const { endpointOf } = await import('../../api/server/endpoint.ts')
    const leaky = endpointOf<{ handled: unknown[] }>()({
      method: 'GET',
      path: '/v1/leaky',
      summary: 'Leak',
      tags: ['rewards'],
      key: 'secret',
      reply: z.object({ id: z.string() }),
      errors: [],
      handle: async () => {
        const object = { id: 'a', secret: 'b' }
        return { status: 'ok', object }
      },
    })
    const { app } = appOfThings({ verifyReplies: true, more: [leaky] })
    expect((await as(request(app).get('/v1/leaky'))).status).toBe(500)
    const { app: trusting } = appOfThings({ more: [leaky] })
    expect((await as(request(trusting).get('/v1/leaky'))).status).toBe(200)
  })
})
