import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { keep, type PaidEvent } from './earn-ledger.ts'

/**
 * The least HTTP that takes a payment's event: no signature, no validation, no log, no statuses, refunds
 * or members to resolve. It keeps the event and has a durable workflow begun that writes the points.
 * Tells the process that forked it which port it listens on, and ends with it.
 */
export function serveEarning(begin: (event: PaidEvent) => Promise<void>): void {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(express.json())
  app.post('/v1/webhooks/payments/sandbox', async (request, response) => {
    const event: PaidEvent = request.body
    await keep(event)
    await begin(event)
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
