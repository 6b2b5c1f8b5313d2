import { expect } from 'vitest'
import type { Book } from './book.ts'

/** What went wrong, as the request log has it. */
export async function requestLog({ ask, shop }: Book): Promise<void> {
  const { body: account } = await shop.post('/v1/loyalty/accounts')
  const refused = await shop.post('/v1/loyalty/redemptions', {
    account: account.id,
    reward: 'rwd_5eur_off',
    metadata: { cart: '81' },
  })
  const id = refused.body.error.request_id
  await expect.poll(async () => (await shop.get(`/v1/requests/${id}`)).status).toBe(200)
  await ask('GET /v1/requests/{id}', 'A refusal', { path: { id } })
  await ask('GET /v1/requests', 'Refused for too few points', {
    query: { error_code: 'insufficient_points', limit: 1 },
  })
}
