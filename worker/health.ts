import { createServer, type Server } from 'node:http'
import express, { type Express } from 'express'
import type { Logger } from 'pino'
import { register } from 'prom-client'
import type { Config } from '../config.ts'
import { listening } from '../process/http.ts'
import { metricsApp } from '../process/metrics.ts'

/** `/health/live`, `/health/ready` and `/metrics` of the worker, the last one by a listener of its own where it has an address. */
export async function serveHealth(
  { host, workerMetricsPort: port, metricsAddress, metricsToken }: Config,
  isReady: () => boolean,
  log: Logger,
): Promise<{ close(): void }> {
  const metrics = metricsApp(register, metricsToken, log)
  const servers: Server[] = []
  const serve = async (app: Express, place: { host: string; port: number }) => {
    const server = createServer(app)
    await listening(server, place)
    servers.push(server)
  }
  const health = healthApp(isReady)
  if (metricsAddress === undefined) health.use(metrics)
  else await serve(metrics, metricsAddress)
  await serve(health, { host, port })
  return {
    close: () => {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

function healthApp(isReady: () => boolean): Express {
  const app = express()
  app.disable('x-powered-by')
  app.get('/health/live', (_req, res) => {
    res.json({ status: 'ok' })
  })
  app.get('/health/ready', (_req, res) => {
    res.status(isReady() ? 200 : 503).json({ status: isReady() ? 'ok' : 'starting' })
  })
  return app
}
