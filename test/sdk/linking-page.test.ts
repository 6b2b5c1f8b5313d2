import { Vinr } from '@vinr/sdk'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openReceiver, type Receiver } from '../webhooks/receiver.ts'
import { type ShopServer, serve } from './served.ts'

/** "Linking payments & loyalty": each snippet as it is printed; only ids printed with dots are filled in. */

let shop: ShopServer
let vinr: Vinr
let receiver: Receiver

beforeAll(async () => {
  shop = await serve()
  receiver = await openReceiver()
  const made = await shop.post('/v1/webhook_endpoints', { url: receiver.url })
  process.env.VINR_WEBHOOK_SECRET = made.body.secret
  vinr = new Vinr({ secretKey: process.env.VINR_SECRET_KEY })
})
afterAll(async () => {
  await receiver.close()
  await shop.close()
})

test('identifying the member on a payment', async () => {
  // Preferred: attach the customer; the member is resolved from the link.
  const payment = await vinr.payments.create({
    amount: 4200, // EUR 42.00 in minor units
    currency: 'eur',
    customer: 'cust_abc123', // linked to loy_... behind the scenes
  })
  // Fallback when you have no customer record: pin the member directly.
  const guestPayment = await vinr.payments.create({
    amount: 4200,
    currency: 'eur',
    metadata: { loyalty_account: 'loy_9f2k' },
  })
  expect(payment).toMatchObject({ amount: 4200, customer: 'cust_abc123' })
  expect(guestPayment).toMatchObject({ customer: null, metadata: { loyalty_account: 'loy_9f2k' } })
})

test('the webhook handler reacts to points awarded', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  // Webhook handler: react to points awarded by a purchase.
  async function POST(req: Request) {
    const payload = await req.text()
    // biome-ignore lint/style/noNonNullAssertion: as the page prints it
    const signature = req.headers.get('x-vinr-signature')! // oxlint-disable-line typescript/no-non-null-assertion
    const event = vinr.webhooks.verify(payload, signature)
    if (event.type === 'loyalty.points.earned') {
      const { account, points, source } = event.data
      // source.payment is the pay_... that triggered the award.
      console.log(`Awarded ${points} pts to ${account} from ${source.payment}`)
    }
    return new Response('ok')
  }

  await vinr.loyalty.transactions.create({ account: 'loy_abc123', amount: 42, reason: 'purchase' })
  const earned = ({ type }: { type: string }) => type === 'loyalty.points.earned'
  await receiver.until(1, earned)
  const delivery = receiver.received.find(({ body }) => earned(JSON.parse(body)))
  const response = await POST(
    new Request(receiver.url, {
      method: 'POST',
      headers: { 'x-vinr-signature': String(delivery?.headers['x-vinr-signature']) },
      body: delivery?.body ?? '',
    }),
  )
  expect(await response.text()).toBe('ok')
  expect(log).toHaveBeenCalledWith(expect.stringMatching(/^Awarded 42 pts to loy_abc123 from /))
  log.mockRestore()
})

describe('redeeming at checkout', () => {
  test('create the redemption, apply it to the payment', async () => {
    const redemption = await vinr.loyalty.redemptions.create({
      account: 'loy_9f2k',
      reward: 'rwd_5eur_off', // a EUR 5.00 discount reward
    }) // -> { id: 'rdm_...', discount: 500 }
    expect(redemption.discount).toMatchObject({ amount: 500, currency: 'EUR' })

    const payment = await vinr.payments.create({
      amount: 4200, // original EUR 42.00
      currency: 'eur',
      customer: 'cust_abc123',
      redemptions: [redemption.id], // charges EUR 37.00
    })
    expect(payment.amount_charged).toBe(3700)
  })

  test('release it where the payment is abandoned', async () => {
    const before = await vinr.loyalty.accounts.retrieve('loy_9f2k')
    const { id } = await vinr.loyalty.redemptions.create({
      account: 'loy_9f2k',
      reward: 'rwd_5eur_off',
    })
    await vinr.loyalty.redemptions.cancel(id)
    expect((await vinr.loyalty.redemptions.retrieve(id)).status).toBe('released')
    expect((await vinr.loyalty.accounts.retrieve('loy_9f2k')).balance).toBe(before.balance)
  })
})

test('reconciliation lists a window of the ledger', async () => {
  const ledger = await vinr.loyalty.transactions.list({
    account: 'loy_9f2k',
    created: { gte: 1717113600 }, // unix seconds
  })
  expect(ledger.data.length).toBeGreaterThan(0)
  expect(ledger.data.every(({ account }) => account === 'loy_9f2k')).toBe(true)
})
