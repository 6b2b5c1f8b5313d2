import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from './shop.ts'

// A refusal keeps nothing of a request, its Idempotency-Key included.

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

const made = async (path: string, body: object) => {
  const { status, body: object } = await shop.post(path, body)
  expect(status, JSON.stringify(object)).toBe(201)
  return object
}
const keyed = (path: string, body: object, idempotencyKey: string) =>
  shop.post(path, body, { idempotencyKey })
const NOBODY = newId('loy').slice(4)

it('an event type whose name is taken is refused twice alike, and the key makes another', async () => {
  const body = { name: 'SALE', schema: { type: 'object' } }
  const { id } = await made('/v1/event_types', body)
  const key = newId('op')
  for (let sent = 0; sent < 2; sent++) {
    const { status, body: answer } = await keyed('/v1/event_types', body, key)
    expect([status, answer.error.param, answer.error.resource]).toEqual([400, 'name', id])
  }
  expect((await keyed('/v1/event_types', { ...body, name: 'OTHER' }, key)).status).toBe(201)
})

it('a test event for a disabled endpoint is refused twice alike, and sent with the key once it is enabled', async () => {
  const { id } = await made('/v1/webhook_endpoints', { url: 'http://127.0.0.1:9/hooks' })
  const path = `/v1/webhook_endpoints/${id}`
  await shop.patch(path, { status: 'disabled' })
  const key = newId('op')
  for (let sent = 0; sent < 2; sent++) {
    const { status, body } = await keyed(`${path}/test`, {}, key)
    expect([status, body.error.code]).toEqual([400, 'parameter_invalid'])
  }
  await shop.patch(path, { status: 'enabled' })
  expect((await keyed(`${path}/test`, {}, key)).status).toBe(201)
})

const OBJECTS: Readonly<Record<string, { make: () => Promise<{ id: string }>; change: object }>> = {
  '/v1/loyalty/accounts': {
    make: () => made('/v1/loyalty/accounts', {}),
    change: { metadata: { a: 'b' } },
  },
  '/v1/loyalty/programs': {
    make: () => made('/v1/loyalty/programs', { name: 'Club' }),
    change: { name: 'Other' },
  },
  '/v1/loyalty/rewards': {
    make: () =>
      made('/v1/loyalty/rewards', {
        name: 'Bag',
        type: 'free_product',
        cost: 5,
        value: { product: 'Bag' },
      }),
    change: { cost: 6 },
  },
  '/v1/loyalty/earning_rules': {
    make: () => made('/v1/loyalty/earning_rules', { award: { fixed: 1 } }),
    change: { multiplier: 2 },
  },
  '/v1/webhook_endpoints': {
    make: () => made('/v1/webhook_endpoints', { url: 'http://127.0.0.1:9/hooks' }),
    change: { description: 'Other' },
  },
  '/v1/reactors': {
    make: async () => {
      const { name } = await made('/v1/event_types', {
        name: `type.${newId('ety').slice(4)}`,
        schema: { type: 'object' },
      })
      const reactions = [{ type: 'adjust_points', points: '1' }]
      return made('/v1/reactors', { name: 'R', trigger: name, reactions })
    },
    change: { order: 2 },
  },
}

it.each(Object.entries(OBJECTS))(
  'a change of nothing at %s leaves its key for one of something',
  async (base, { make, change }) => {
    const { id } = await make()
    const nothing = `${id.split('_')[0]}_${NOBODY}`
    const key = newId('op')
    const missing = await keyed(`${base}/${nothing}`, change, key)
    expect([missing.status, missing.body.error?.code]).toEqual([404, 'resource_missing'])
    const { status, body } = await keyed(`${base}/${id}`, change, key)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body).toMatchObject(change)
  },
)

it('a change that is refused leaves its key for the right one', async () => {
  const { id } = await made('/v1/loyalty/earning_rules', {
    award: { fixed: 1 },
    starts_at: '2030-01-01T00:00:00Z',
  })
  const key = newId('op')
  const path = `/v1/loyalty/earning_rules/${id}`
  const refused = await keyed(path, { ends_at: '2029-01-01T00:00:00Z' }, key)
  expect([refused.status, refused.body.error.param]).toEqual([400, 'ends_at'])
  expect((await keyed(path, { ends_at: '2031-01-01T00:00:00Z' }, key)).status).toBe(200)
})
