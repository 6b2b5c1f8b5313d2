import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import request from 'supertest'
import { afterEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../config.ts'
import { listening } from '../../process/http.ts'
import { createLog } from '../../process/log.ts'
import { metricsApp } from '../../process/metrics.ts'
import { appOfThings } from './things.ts'

const TOKEN = 'of-the-scraper-0123456789'
const PROXY = { 'X-Forwarded-For': '203.0.113.9' }
const log = createLog({ level: 'silent', name: 'api' })

describe('/metrics at the API’s port', () => {
  it('answers a process of this machine', async () => {
    const { status, text } = await request(appOfThings().app).get('/metrics')
    expect([status, text.includes('http_request_duration_seconds')]).toEqual([200, true])
  })

  it.each([
    ['what a proxy passes on', PROXY],
    ['a web page whose name resolves to this machine', { Host: 'evil.example:3000' }],
  ])('is not there for %s, by any method', async (_who, headers) => {
    const { app } = appOfThings()
    for (const method of ['get', 'head', 'post'] as const) {
      const { status } = await request(app)[method]('/metrics').set(headers)
      expect([method, status]).toEqual([method, 404])
    }
    const { body } = await request(app).get('/metrics').set(headers)
    expect(body.error).toMatchObject({
      code: 'resource_missing',
      message: 'There is no GET /metrics.',
    })
  })

  it('answers whoever bears the token, and 401 to others, in the shape of every error', async () => {
    const { app } = appOfThings({ metrics: { token: TOKEN } })
    const scrape = (authorization?: string) => {
      const asked = request(app).get('/metrics').set(PROXY)
      return authorization === undefined ? asked : asked.set('Authorization', authorization)
    }
    expect((await scrape(`Bearer ${TOKEN}`)).status).toBe(200)
    for (const wrong of [undefined, `Bearer ${TOKEN}x`, TOKEN, 'Bearer ', `Basic ${TOKEN}`]) {
      const { status, body, headers } = await scrape(wrong)
      expect([status, body.error.code, headers['www-authenticate']]).toEqual([
        401,
        'invalid_api_key',
        'Bearer',
      ])
      expect(JSON.stringify(body)).not.toContain(TOKEN)
    }
  })

  it('is not there for anybody where it has an address of its own', async () => {
    const { status, body } = await request(appOfThings({ metrics: 'elsewhere' }).app).get(
      '/metrics',
    )
    expect([status, body.error.code]).toEqual([404, 'resource_missing'])
  })
})

describe('/metrics at an address of its own', () => {
  const servers: Array<() => void> = []
  afterEach(() => {
    for (const close of servers.splice(0)) close()
  })
  async function served(token?: string) {
    const server = createServer(metricsApp(new Registry(), token, log))
    await listening(server, { host: '127.0.0.1', port: 0 })
    servers.push(() => server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('answers everybody who reaches it, and nothing but the metrics', async () => {
    const origin = await served()
    const statuses = ['/metrics', '/health/ready', '/v1/events', '/'].map(
      async (path) => (await request(origin).get(path).set(PROXY)).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 404, 404, 404])
  })

  it('asks for the token where there is one', async () => {
    const origin = await served(TOKEN)
    const scrape = (token: string) =>
      request(origin).get('/metrics').set(PROXY).set('Authorization', `Bearer ${token}`)
    expect((await scrape(TOKEN)).status).toBe(200)
    expect((await scrape('of-somebody-else-01234')).status).toBe(401)
  })

  it('does not start where another listens already', async () => {
    const origin = await served()
    const second = createServer(metricsApp(new Registry(), undefined, log))
    await expect(
      listening(second, { host: '127.0.0.1', port: Number(new URL(origin).port) }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('METRICS_ADDRESS', () => {
  const addressOf = (METRICS_ADDRESS: string) =>
    readConfig({ DATABASE_URL: 'postgres://x/y', METRICS_ADDRESS }).metricsAddress

  it.each([
    ['127.0.0.1:9465', { host: '127.0.0.1', port: 9465 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['metrics.internal:80', { host: 'metrics.internal', port: 80 }],
    ['', undefined],
  ])('%s', (text, address) => {
    expect(addressOf(text)).toEqual(address)
  })

  it.each([
    '9465',
    ':9465',
    'localhost',
    'localhost:',
    'localhost:65536',
    '::1:9465',
    'http://x:1',
  ])('%s is refused by name', (text) => {
    expect(() => addressOf(text)).toThrow('METRICS_ADDRESS: expected host:port')
  })
})
