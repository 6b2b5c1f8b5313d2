import type { Shop } from '../api/shop.ts'

/** The documents' set-up: an event type with points in its payload, and a reactor that takes them. */
export async function openTill(shop: Shop, more: object = {}) {
  const schema = {
    type: 'object',
    properties: {
      points: { type: 'integer', minimum: 1 },
      transactionId: { type: 'string', maxLength: 40 },
      storeId: { type: 'string', maxLength: 40 },
    },
    required: ['points'],
    additionalProperties: false,
  }
  const type = await shop.post('/v1/event_types', { name: 'REDEEMED_POINTS', schema })
  const reactor = await shop.post('/v1/reactors', {
    name: 'Redeem points',
    trigger: 'REDEEMED_POINTS',
    reactions: [{ type: 'adjust_points', points: '$.points * -1' }],
    ...more,
  })
  if (type.status !== 201 || reactor.status !== 201) {
    throw new Error(`no till: ${JSON.stringify([type.body, reactor.body])}`)
  }
  return { type: type.body, reactor: reactor.body }
}

let made = 0

/** A member of the shop with so many points. */
export async function member(shop: Shop, points: number): Promise<string> {
  const { body } = await shop.post('/v1/loyalty/accounts', { customer: `cust_till_${++made}` })
  if (points !== 0) {
    await shop.post('/v1/loyalty/transactions', {
      account: body.id,
      amount: points,
      reason: 'start',
    })
  }
  return body.id
}

export async function balanceOf(shop: Shop, account: string): Promise<number> {
  return (await shop.get(`/v1/loyalty/accounts/${account}`)).body.balance
}
