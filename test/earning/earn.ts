import { expect } from 'vitest'
import { newId } from '../../domain/ids.ts'
import type { Shop } from '../api/shop.ts'

export const COMPLETES = '4242424242424242'
export const eventOf = (type: string, data: object, id = newId('evt')) => ({
  id,
  type,
  created: Math.floor(Date.now() / 1_000),
  data,
})

export type Row = {
  id: string
  type: string
  amount: number
  points: number
  account: string
  balance_after: number
  reason: string
  reverses?: string
  source: Record<string, unknown>
}

/** A shop with what the tests of earning ask again and again. */
export function earningIn(shop: Shop) {
  /** Waits until nothing of the payment waits in the inbox. */
  const processed = (payment: string) =>
    expect
      .poll(
        async () =>
          (
            await shop.owner.query(
              'select count(*)::int as n from inbox where payment = $1 and processed_at is null',
              [payment],
            )
          ).rows[0].n,
      )
      .toBe(0)
  return {
    processed,
    /** A rule; 1 point per EUR 1 where nothing else is said. */
    rule: async (more: object = {}) => {
      const award = { per_amount: { points: 1, amount: 100, currency: 'EUR' } }
      const { status, body } = await shop.post('/v1/loyalty/earning_rules', { award, ...more })
      if (status !== 201) throw new Error(JSON.stringify(body))
      return body.id as string
    },
    /** A new member with a customer of its own. */
    member: async (more: object = {}) => {
      const customer = `cust_${newId('op').slice(3)}`
      const { status, body } = await shop.post('/v1/loyalty/accounts', { customer, ...more })
      if (status !== 201) throw new Error(JSON.stringify(body))
      return { id: body.id as string, customer }
    },
    /** A completed sandbox payment, worked off. */
    pay: async (more: object = {}) => {
      const sent = { amount: 4_200, currency: 'eur', card: COMPLETES, ...more }
      const { status, body } = await shop.post('/v1/payments', sent)
      if (status !== 201) throw new Error(JSON.stringify(body))
      await processed(body.id)
      return body as { id: string; amount_charged: number }
    },
    /** A refund, worked off. */
    refund: async (payment: string, more: object = {}) => {
      const { status, body } = await shop.post('/v1/refunds', { payment, ...more })
      if (status !== 201) throw new Error(JSON.stringify(body))
      await processed(payment)
      return body as { id: string; amount: number }
    },
    /** A webhook of the sandbox about a payment, worked off. */
    report: async (
      type: string,
      data: { id: string; payment?: string; [more: string]: unknown },
      id?: string,
    ) => {
      const { status, body } = await shop.webhook(eventOf(type, data, id))
      if (status !== 200) throw new Error(JSON.stringify(body))
      await processed(data.payment ?? data.id)
      return body
    },
    /** What moved points of a payment, oldest first. */
    rows: async (payment: string): Promise<Row[]> => {
      const { body } = await shop.get(`/v1/loyalty/transactions?payment=${payment}&limit=100`)
      return (body.data as Row[]).toReversed()
    },
    account: async (id: string) => (await shop.get(`/v1/loyalty/accounts/${id}`)).body,
    balance: async (id: string): Promise<number> =>
      (await shop.get(`/v1/loyalty/accounts/${id}`)).body.balance,
    allowNegative: (allowed: boolean) =>
      shop.owner.query(`update program set clawback_allow_negative = $2 where workspace = $1`, [
        shop.workspace,
        allowed,
      ]),
  }
}

export const amounts = (rows: Row[]) => rows.map(({ type, amount }) => [type, amount])
