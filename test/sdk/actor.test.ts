import { Vinr } from '@vinr/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ShopServer, serve } from './served.ts'

let shop: ShopServer
let vinr: Vinr

beforeAll(async () => {
  shop = await serve()
  vinr = new Vinr({ secretKey: process.env.VINR_SECRET_KEY })
})
afterAll(() => shop.close())

test.each([{ id: 'e-1841' }, { id: 'e-1841', name: 'Zoë "Þórs" \\ 李' }])(
  'what is asked in the name of %j is recorded so',
  async (actor) => {
    const movement = { account: 'loy_abc123', amount: 5, reason: 'goodwill' }
    const { actor: recorded } = await vinr.loyalty.transactions.create(movement, { actor })
    expect(recorded).toMatchObject({ type: 'api_key', on_behalf_of: actor })
  },
)
