import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import request from 'supertest'
import { expect } from 'vitest'
import { workspaceCommands } from '../../app/workspaces.ts'
import { newId } from '../../domain/ids.ts'
import type { Shop } from '../api/shop.ts'
import { earningIn } from './earn.ts'

const SECRET = 'whsec_5b2f8d1c9e7a4036'

export type Fields = { [name: string]: unknown }
export type StripeEvent = {
  id: string
  type: string
  api_version: string
  created: number
  data: { object: Fields; previous_attributes?: Fields }
}

export const unixNow = () => Math.floor(Date.now() / 1_000)

/** A fixture of Stripe's own shape, of this moment, with some fields of its object changed. */
export async function stripeEvent(
  name: string,
  object: Fields = {},
  { previous, ...more }: Partial<StripeEvent> & { previous?: Fields } = {},
): Promise<StripeEvent> {
  const event = JSON.parse(await readFile(new URL(`stripe/${name}.json`, import.meta.url), 'utf8'))
  return {
    ...event,
    id: newId('evt'),
    created: unixNow(),
    ...more,
    data: {
      ...event.data,
      object: { ...event.data.object, ...object },
      ...(previous && { previous_attributes: previous }),
    },
  }
}

/** A shop to which Stripe speaks, and its members' payment intents. */
export async function stripeIn(shop: Shop) {
  const { addPaymentSecret } = workspaceCommands({ pool: shop.pool })
  const endpoint = await addPaymentSecret(shop.workspace, 'stripe', SECRET)
  const earning = earningIn(shop)

  const send = (event: object) => {
    const [body, at] = [JSON.stringify(event), unixNow()]
    const digest = createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex')
    return request(shop.app)
      .post(`/v1/webhooks/payments/stripe/${endpoint}`)
      .set('Content-Type', 'application/json')
      .set('Stripe-Signature', `t=${at},v1=${digest}`)
      .send(body)
  }

  /** A member with a payment intent of their own, or only a charge, and what Stripe says of it, worked off. */
  const intent = async ({ of = 'intent' }: { of?: 'intent' | 'charge' } = {}) => {
    const { id: account, customer } = await earning.member()
    const name = newId('op').slice(3)
    const [pi, ch] = [of === 'intent' ? `pi_${name}` : null, `ch_${name}`]
    const payment = `pay_${pi ?? ch}`
    const report = async (event: StripeEvent) => {
      const { status, body } = await send(event)
      expect([status, body.received]).toEqual([200, true])
      await earning.processed(payment)
      return body
    }
    return {
      account,
      customer,
      payment,
      pi,
      ch,
      report,
      succeeded: async (amount: number, more: Fields = {}) =>
        report(
          await stripeEvent('payment_intent.succeeded', {
            id: pi,
            customer,
            amount,
            amount_received: amount,
            ...more,
          }),
        ),
      /** `charge.refunded` with this running total, as an API version that lists no refunds words it. */
      refunded: async (
        total: number,
        before: number,
        object: Fields = {},
        more: Partial<StripeEvent> = {},
      ) =>
        report(
          await stripeEvent(
            'charge.refunded',
            { id: ch, payment_intent: pi, customer, amount_refunded: total, ...object },
            { previous: { amount_refunded: before }, ...more },
          ),
        ),
      /** One of the events that carry a refund. */
      refund: async (type: string, object: Fields) =>
        report(
          await stripeEvent(
            'refund.failed',
            { payment_intent: pi, charge: ch, ...object },
            { type },
          ),
        ),
      dispute: async (type: string, status: string) =>
        report(
          await stripeEvent(
            'charge.dispute.created',
            { id: `dp_${name}`, payment_intent: pi, charge: ch, status },
            { type },
          ),
        ),
      shown: async () => (await shop.get(`/v1/payments/${payment}`)).body,
      balance: () => earning.balance(account),
    }
  }

  return { ...earning, send, intent }
}
