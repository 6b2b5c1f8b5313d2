import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { member } from './till.ts'

let shop: Shop
let user: string

beforeAll(async () => {
  shop = await openShop()
  user = await member(shop, 0)
})
afterAll(() => shop.close())

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const create = (name: string, schema?: object) => shop.post('/v1/event_types', { name, schema })
const report = (type: string, payload: object) => shop.post('/v1/events', { type, user, payload })

describe('an event type', () => {
  it('gets a new version with every schema, which counts at once, and keeps the old ones', async () => {
    const { body } = await create('VISIT', object({ minutes: { type: 'integer' } }))
    expect(body).toMatchObject({ object: 'event_type', name: 'VISIT', version: 1 })
    expect((await report('VISIT', { minutes: 5 })).status).toBe(200)
    const schema = object({ minutes: { type: 'integer', maximum: 4 } })
    const changed = await shop.patch('/v1/event_types/VISIT', { schema })
    expect(changed.body).toMatchObject({ id: body.id, version: 2, schema })
    expect((await report('VISIT', { minutes: 5 })).body.error).toMatchObject({
      code: 'payload_invalid',
      param: 'payload.minutes',
    })
    const described = await shop.patch(`/v1/event_types/${body.id}`, { description: 'A visit' })
    expect(described.body).toMatchObject({ version: 2, description: 'A visit' })
    const { versions } = (await shop.get(`/v1/event_types/${body.id}`)).body
    expect(versions.map(({ version }: { version: number }) => version)).toEqual([2, 1])
  })

  it('is found by its name, and its name is its own', async () => {
    const { body } = await create('QUEUE')
    expect((await shop.get('/v1/event_types/QUEUE')).body.id).toBe(body.id)
    const again = await create('QUEUE')
    expect([again.status, again.body.error]).toMatchObject([
      400,
      { code: 'parameter_invalid', param: 'name', resource: body.id },
    ])
    const page = (await shop.get('/v1/event_types?limit=100')).body.data
    expect(page.map(({ id }: { id: string }) => id)).toContain(body.id)
  })

  it('knows formats, and may refer to itself', async () => {
    const schema = object(
      { day: { type: 'string', format: 'date' }, next: { $ref: '#/$defs/step' } },
      { $defs: { step: object({ next: { $ref: '#/$defs/step' } }) } },
    )
    await create('FORMATS', schema)
    expect((await report('FORMATS', { day: '2026-02-28', next: { next: {} } })).status).toBe(200)
    expect((await report('FORMATS', { day: '2026-02-30' })).body.error.param).toBe('payload.day')
    expect((await report('FORMATS', { next: { next: 1 } })).body.error.param).toBe(
      'payload.next.next',
    )
  })

  it('created twice with one key is one', async () => {
    const send = () =>
      shop.post('/v1/event_types', { name: 'ONCE' }, { idempotencyKey: 'type-once' })
    const first = await send()
    const second = await send()
    expect([first.status, second.status, second.body.id]).toEqual([201, 200, first.body.id])
  })
})

describe('what an event type may not be', () => {
  const deep = (levels: number): object =>
    levels === 0 ? {} : { type: 'object', properties: { a: deep(levels - 1) } }
  it.each([
    ['loyalty.points.earned', {}, 403, 'event_type_intrinsic', 'name'],
    ['payment.completed', {}, 403, 'event_type_intrinsic', 'name'],
    ['ety_mine', {}, 400, 'parameter_invalid', 'name'],
    ['with spaces', {}, 400, 'parameter_invalid', 'name'],
    ['UNKNOWN_KIND', { type: 'wrong' }, 400, 'parameter_invalid', 'schema'],
    ['REMOTE', { $ref: 'https://example.com/a.json' }, 400, 'parameter_invalid', 'schema'],
    ['FILE', object({ a: { $ref: 'other.json#/a' } }), 400, 'parameter_invalid', 'schema'],
    ['NOWHERE', object({ a: { $ref: '#/$defs/none' } }), 400, 'parameter_invalid', 'schema'],
    [
      'OLD',
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      400,
      'parameter_invalid',
      'schema',
    ],
    ['DEEP', deep(15), 400, 'parameter_invalid', 'schema'],
    ['LARGE', { description: 'a'.repeat(17_000) }, 400, 'parameter_invalid', 'schema'],
    [
      'NO_PATTERN',
      object({ a: { type: 'string', pattern: '(' } }),
      400,
      'parameter_invalid',
      'schema',
    ],
    [
      'PERSONAL',
      object({ email: { type: 'string' } }),
      400,
      'payload_personal_data',
      'schema.properties.email',
    ],
    [
      'PERSONAL_WITHIN',
      object({ customer: object({ name: { type: 'string' } }) }),
      400,
      'payload_personal_data',
      'schema.properties.customer.properties.name',
    ],
  ])('%s', async (name, schema, status, code, param) => {
    const answer = await create(name, schema)
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      status,
      code,
      param,
    ])
  })

  it('a product may have a name, and a flag may speak of e-mail', async () => {
    const schema = object({
      product: object({ name: { type: 'string' } }),
      email: { type: 'boolean' },
    })
    expect((await create('HARMLESS', schema)).status).toBe(201)
  })
})
