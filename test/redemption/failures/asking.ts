import { Client, Connection } from '@temporalio/client'
import { Registry } from 'prom-client'
import request from 'supertest'
import { productApp } from '../../../api/server/product.ts'
import { freePort } from '../../../dev/ports.ts'
import { createLog } from '../../../process/log.ts'
import { type Case, outcomeOf, REDEMPTIONS, refused, type Scene } from './case.ts'

const FUTURE = '2099-01-01T00:00:00Z'
const PAST = '2020-01-01T00:00:00Z'

/** A reward that refuses, by what its columns say. */
const refusedBy =
  (columns: Record<string, unknown>): Case =>
  async (at) =>
    outcomeOf(await at.redeem(await at.reward(columns)))

/** What is refused before anything is spent. */
export const ASKING: Record<string, Case> = {
  'Not enough points': refusedBy({ cost: 5_000 }),
  'The reward is switched off': refusedBy({ active: false }),
  'The reward has not started': refusedBy({ starts_at: FUTURE }),
  'The reward has ended': refusedBy({ ends_at: PAST }),
  'The reward is out of stock': refusedBy({ inventory: 0 }),
  "The member's tier is too low": refusedBy({ min_tier: 'Gold' }),

  'Two members want the last one': async (at) => {
    const reward = await at.reward({ inventory: 1 })
    const first = await at.redeem(reward, { account: 'loy_9f2k' })
    return refused([first, await at.redeem(reward)])
  },

  'The member has had as many as allowed': async (at) => {
    const reward = await at.reward({ per_member_limit: 1, cost: 1 })
    await at.redeem(reward)
    return outcomeOf(await at.redeem(reward))
  },

  'The account is closed': async (at) => {
    const reward = await at.reward()
    await at.shop.post(`/v1/loyalty/accounts/${at.member}/close`)
    return outcomeOf(await at.redeem(reward))
  },

  'The request is sent again with its key': async (at) => {
    const send = await twice(at)
    return outcomeOf(await at.redeem(send.reward, send))
  },

  'The key is used for another request': async (at) => {
    const { idempotencyKey } = await twice(at)
    return outcomeOf(await at.redeem(await at.reward(), { idempotencyKey }))
  },

  'Temporal is out of reach': async (at) => {
    const reward = await at.reward()
    const unreachable = Connection.lazy({ address: `127.0.0.1:${await freePort()}` })
    const { pool, keys } = at.shop
    const engine = { client: new Client({ connection: unreachable }), taskQueue: 'nobody' }
    const log = createLog({ level: 'silent', name: 'api' })
    const more = { holdMinutes: 30, log, registry: new Registry(), version: '0.0.0' }
    const app = productApp({ pool, engine, ...more }, { verifyReplies: true })
    const body = { account: at.member, reward }
    const answer = await request(app).post(REDEMPTIONS).set('X-Api-Key', keys.secretKey).send(body)
    await unreachable.close()
    return outcomeOf(answer)
  },
}

/** A redemption made with a key. */
async function twice(at: Scene): Promise<{ reward: string; idempotencyKey: string }> {
  const sent = { reward: await at.reward(), idempotencyKey: `again-${at.member}` }
  await at.redeem(sent.reward, sent)
  return sent
}
