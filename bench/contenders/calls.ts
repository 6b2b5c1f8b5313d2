import { createHmac, randomUUID } from 'node:crypto'
import { newId } from '../../domain/ids.ts'
import type { HttpClient } from '../http.ts'
import type { Product } from './product.ts'

const REWARD = 'rwd_fivecredit'
const PAYMENT_MINOR = 2_000
const DISCOUNT_MINOR = 500
const EXPIRY_MONTHS = 12

/** The requests that the bench sends to the product; each resolves with the answer of a 2xx. */
export interface Calls {
  /** The id of a program whose points expire. */
  createExpiringProgram(): Promise<string>
  /** The id of a new member's account; in the default program unless another is named. */
  openAccount(program?: string): Promise<string>
  credit(account: string, points: number): Promise<void>
  /** The id of the redemption. */
  redeem(account: string): Promise<string>
  cancel(redemption: string): Promise<void>
  /** A payment that the product has not seen before, completed, with the redemption on it. */
  reportPaid(redemption: string): Promise<void>
}

export function callsTo(client: HttpClient, product: Product): Calls {
  const post = async (path: string, body: object): Promise<string> => {
    const headers = { 'x-api-key': product.apiKey, 'idempotency-key': randomUUID() }
    const { id } = (await client.post(path, body, headers)) as { id: string }
    return id
  }
  return {
    createExpiringProgram: () =>
      post('/v1/loyalty/programs', {
        name: 'Points that expire',
        currency: { name: 'points', code: 'EUR' },
        expiry: { mode: 'rolling', months: EXPIRY_MONTHS },
      }),
    openAccount: (program) =>
      post('/v1/loyalty/accounts', program === undefined ? {} : { program }),
    credit: async (account, amount) => {
      await post('/v1/loyalty/transactions', { account, amount, reason: 'opening_balance' })
    },
    redeem: (account) => post('/v1/loyalty/redemptions', { account, reward: REWARD }),
    cancel: async (redemption) => {
      await post(`/v1/loyalty/redemptions/${redemption}/cancel`, {})
    },
    reportPaid: async (redemption) => {
      const body = JSON.stringify(completion(redemption))
      const signature = sign(body, product.paymentWebhookSecret)
      await client.post('/v1/webhooks/payments/sandbox', body, { 'x-vinr-signature': signature })
    },
  }
}

function completion(redemption: string): object {
  const seconds = Math.floor(Date.now() / 1_000)
  return {
    id: newId('evt'),
    type: 'payment.completed',
    created: seconds,
    data: {
      id: newId('pay'),
      object: 'payment',
      amount: PAYMENT_MINOR,
      amount_charged: PAYMENT_MINOR - DISCOUNT_MINOR,
      currency: 'eur',
      status: 'completed',
      customer: null,
      redemptions: [redemption],
      refunds: [],
      metadata: {},
      created_at: new Date(seconds * 1_000).toISOString(),
    },
  }
}

function sign(body: string, secret: string): string {
  const seconds = Math.floor(Date.now() / 1_000)
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${digest}`
}
