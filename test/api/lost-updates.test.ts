import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShop, type Shop } from './shop.ts'

// Changes of one object at the same time, each of another field: all of them are there afterwards.

let shop: Shop
beforeAll(async () => {
  shop = await openShop({ worker: false })
})
afterAll(() => shop.close())

const ROUNDS = 10
const made = async (path: string, body: object): Promise<string> => {
  const { status, body: object } = await shop.post(path, body)
  expect(status, JSON.stringify(object)).toBe(201)
  return `${path}/${object.id}`
}
const dated = (at: number) => ({
  starts_at: new Date(Date.UTC(2030, 0, 1, 0, at)).toISOString(),
  ends_at: new Date(Date.UTC(2031, 0, 1, 0, at)).toISOString(),
})
const named = (at: number) => ({ name: `Number ${at}` })

const OBJECTS: Readonly<
  Record<string, { make: () => Promise<string>; fields: ((at: number) => object)[] }>
> = {
  rule: {
    make: () => made('/v1/loyalty/earning_rules', { award: { fixed: 1 } }),
    fields: [
      named,
      dated,
      (at) => ({ conditions: { currency: ['eur', 'nok'][at % 2] } }),
      (at) => ({ conditions: { min_amount: at } }),
    ],
  },
  reactor: {
    make: async () => {
      await shop.post('/v1/event_types', { name: 'SALE', schema: { type: 'object' } })
      const reactions = [{ type: 'adjust_points', points: '1' }]
      return made('/v1/reactors', { name: 'R', trigger: 'SALE', reactions })
    },
    fields: [named, dated, (at) => ({ order: at })],
  },
  reward: {
    make: () =>
      made('/v1/loyalty/rewards', {
        name: 'Bag',
        type: 'free_product',
        cost: 5,
        value: { product: 'Bag', quantity: 1 },
        fulfillment: { deadlineDays: 1 },
      }),
    fields: [
      named,
      dated,
      (at) => ({ value: { product: `Bag ${at}` } }),
      (at) => ({ value: { quantity: at + 1 } }),
      (at) => ({ fulfillment: { deadlineDays: at + 1 } }),
      (at) => ({ fulfillment: { onOverdue: ['notify', 'refund'][at % 2] } }),
    ],
  },
  'webhook endpoint': {
    make: () => made('/v1/webhook_endpoints', { url: 'http://127.0.0.1:9/hooks' }),
    fields: [
      (at) => ({ description: `Number ${at}` }),
      (at) => ({ url: `http://127.0.0.1:9/${at}` }),
    ],
  },
  program: {
    make: () => made('/v1/loyalty/programs', { name: 'Club' }),
    fields: [named, (at) => ({ redemption: { graceDays: at } })],
  },
  account: { make: () => made('/v1/loyalty/accounts', {}), fields: [] },
}

it.each(Object.entries(OBJECTS))(
  'of a %s keep each other: fields, parts of fields, and metadata by key',
  async (_kind, { make, fields }) => {
    const path = await make()
    for (let round = 0; round < ROUNDS; round++) {
      const metadata = Object.fromEntries(['a', 'b', 'c', 'd'].map((key) => [key, `${round}`]))
      const changes = [
        ...fields.map((field) => field(round)),
        ...Object.entries(metadata).map(([key, value]) => ({ metadata: { [key]: value } })),
      ]
      const answers = await Promise.all(changes.map((change) => shop.patch(path, change)))
      expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200))
      const { body } = await shop.get(path)
      for (const change of [...changes, { metadata }]) expect(body).toMatchObject(change)
    }
  },
)
