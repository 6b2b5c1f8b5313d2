import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import request from 'supertest'
import { expect, inject, test } from 'vitest'
import { freePort } from '../../dev/ports.ts'
import { startTemporal } from '../../dev/temporal/server.ts'
import { serveUi } from '../../dev/temporal/ui.ts'

async function inner(answer: (asked: IncomingMessage) => Promise<object>) {
  const server = createServer((asked, res) => {
    void answer(asked).then((body) =>
      res.writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'] }).end(JSON.stringify(body)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

test('a request is passed on with its method, path and body, and its answer back with every cookie', async () => {
  const ui = await inner(async (asked) => ({
    method: asked.method,
    url: asked.url,
    token: asked.headers['x-csrf-token'],
    body: await text(asked),
  }))
  const port = await freePort()
  const proxy = await serveUi(port, ui.port)
  const answer = await request(`http://127.0.0.1:${port}`)
    .post('/api/v1/x?y=z%20')
    .set('X-CSRF-Token', 't')
    .send('{"a":1}')
  expect(answer.status).toBe(201)
  expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  expect(JSON.parse(answer.text)).toEqual({
    method: 'POST',
    url: '/api/v1/x?y=z%20',
    token: 't',
    body: '{"a":1}',
  })
  ui.close()
  expect((await request(`http://127.0.0.1:${port}`).get('/')).status).toBe(502)
  proxy.close()
})

const TRIES = 3 // another process's connection may be given the port before the UI takes it

/** A server whose UI has the port that was asked for. */
async function startedOnItsPort() {
  for (let left = TRIES; ; left--) {
    const wanted = await freePort()
    const temporal = await startTemporal({ binary: inject('temporalBinary'), uiPort: wanted })
    if (temporal.uiUrl === `http://127.0.0.1:${wanted}`) return { temporal, wanted }
    await temporal.stop()
    expect(left).toBeGreaterThan(1)
  }
}

test('the development server’s UI answers as localhost, and no other host', async () => {
  const { temporal, wanted } = await startedOnItsPort()
  try {
    const ask = (host: string) =>
      request(temporal.uiUrl ?? '')
        .get('/api/v1/namespaces')
        .set('Host', host)
    for (const host of [`127.0.0.1:${wanted}`, `localhost:${wanted}`]) {
      await expect.poll(async () => (await ask(host)).status, { timeout: 20_000 }).toBe(200)
    }
    for (const host of ['evil.example', `evil.example:${wanted}`, 'localhost.evil.example']) {
      expect([host, (await ask(host)).status]).toEqual([host, 403])
    }
  } finally {
    await temporal.stop()
  }
  expect(await freePort(wanted)).toBe(wanted) // for the one that is started again
})
