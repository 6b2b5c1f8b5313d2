import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { COST } from '../ledger.ts'

/** What a peer offers behind the routes that it shares with the product. */
export interface Peer {
  /** Holds the points and arms their release; false when the balance is short. */
  create(redemption: string, account: string): Promise<boolean>
  /** Takes in a payment's completion; answers when that is durable, not when it is worked off. */
  pay?(redemption: string, event: string): Promise<void>
}

interface CreateBody {
  account: string
}
interface EventBody {
  id: string
  data: { redemptions: string[] }
}

/**
 * The least HTTP that takes the bench's requests: no keys, no signatures, no validation, no logs.
 * Each of these costs the product time, so what is missing here is in the peers' favour.
 * Tells the process that forked it which port it listens on, and ends with it.
 */
export function serve(peer: Peer): void {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(express.json())

  app.post('/v1/loyalty/redemptions', async (request, response) => {
    const body: CreateBody = request.body
    const id = `rdm_${request.get('idempotency-key')}`
    if (await peer.create(id, body.account)) {
      response.status(201).json({ id, object: 'redemption', status: 'pending', points: COST })
    } else {
      response.status(422).json({ error: { code: 'insufficient_points' } })
    }
  })

  app.post('/v1/webhooks/payments/sandbox', async (request, response) => {
    const body: EventBody = request.body
    for (const redemption of body.data.redemptions) await peer.pay?.(redemption, body.id)
    response.json({ received: true })
  })

  const server = createServer(app)
  server.keepAliveTimeout = 60_000 // the load is not to lose a connection between two levels
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.send?.({ port })
  })
  process.once('disconnect', () => process.exit())
}
