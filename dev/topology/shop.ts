import { z } from 'zod'

const Anything = z.looseObject({ id: z.string() })
const Redemption = z.looseObject({
  id: z.string(),
  status: z.string(),
  reason: z.string().nullable(),
})
const Payment = z.looseObject({ id: z.string(), status: z.string(), amount_charged: z.number() })
const Account = z.looseObject({ id: z.string(), balance: z.number() })

export type Shop = Awaited<ReturnType<typeof openShop>>

const POINTS = 5_000
const ORDER = 2_999 // EUR 29.99

/** A shop as an integrator sees it: a member with points and a reward of EUR 5 off, over HTTP alone. */
export async function openShop(apiUrl: string, apiKey: string) {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${apiUrl}/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'x-api-key': apiKey },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return JSON.parse(text)
  }
  const account = Account.parse(await call('POST', '/loyalty/accounts', {})).id
  const funds = { account, amount: POINTS, reason: 'opening balance' }
  await call('POST', '/loyalty/transactions', funds)
  const reward = Anything.parse(
    await call('POST', '/loyalty/rewards', {
      name: 'EUR 5 off',
      type: 'discount_amount',
      cost: 500,
      value: { amount: 500, currency: 'EUR' },
    }),
  ).id

  return {
    account,
    redeem: async () =>
      Redemption.parse(await call('POST', '/loyalty/redemptions', { account, reward })),
    redemption: async (id: string) =>
      Redemption.parse(await call('GET', `/loyalty/redemptions/${id}`)),
    pay: async (redemption: string, card: string) => {
      const order = { amount: ORDER, currency: 'EUR', redemptions: [redemption], card }
      return Payment.parse(await call('POST', '/payments', order))
    },
    balance: async () => Account.parse(await call('GET', `/loyalty/accounts/${account}`)).balance,
  }
}
