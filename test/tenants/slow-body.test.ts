import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import express, { type RequestHandler } from 'express'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { fewSlowBodies, noEndlessBody, rawBody, withinTime } from '../../api/server/bodies.ts'
import { errorAnswer } from '../../api/server/failure.ts'
import { openShop } from '../api/shop.ts'

const servers: Server[] = []
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})
afterAll(() => {
  for (const server of servers) server.close()
})

async function serve(app: express.Express): Promise<number> {
  const server = createServer(app).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

function appOf(...handlers: RequestHandler[]) {
  const app = express()
  app.use(...handlers)
  app.use((_req, res) => void res.json({ read: true }))
  app.use(errorAnswer('http://here'))
  return serve(app)
}

/** A request whose body has 100 bytes, of which some are sent; what comes back, until the connection ends. */
function slow(port: number, path = '/', sent = 10) {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.on('error', () => {})
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n${'x'.repeat(sent)}`,
  )
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const answered = new Promise<number>((resolve) =>
    socket.on('data', () => resolve(Number(text.slice(9, 12)))),
  )
  return { socket, closed, answered, text: () => text }
}

describe('a body that does not come', () => {
  it('is refused after its time, and its connection closed', async () => {
    const port = await appOf(noEndlessBody(50), withinTime(rawBody('1kb'), 100))
    const request = slow(port)
    expect(await request.answered).toBe(400)
    await request.closed
    expect(request.text()).toContain('"code":"invalid_json"')
  })

  it('that was refused before it came keeps no connection open', async () => {
    const port = await appOf(noEndlessBody(50), (_req, res) => void res.status(404).json({}))
    const request = slow(port)
    expect(await request.answered).toBe(404)
    await request.closed
  })

  it('that comes whole is read, and its connection serves the next request', async () => {
    const port = await appOf(noEndlessBody(50), fewSlowBodies(withinTime(rawBody('1kb'), 5_000)))
    const request = slow(port, '/', 100)
    expect(await request.answered).toBe(200)
    const next = new Promise<string>((resolve) =>
      request.socket.once('data', (chunk) => resolve(chunk.toString())),
    )
    request.socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    expect(await next).toContain('200 OK')
  })
})

describe('slow bodies of those without a key', () => {
  it('beyond a number of one address are refused, until one of them is done', async () => {
    const port = await appOf(
      noEndlessBody(50),
      fewSlowBodies(withinTime(rawBody('1kb'), 60_000), { perAddress: 2, slowMs: 20 }),
    )
    const requests = [slow(port), slow(port), slow(port)]
    const refused = await Promise.race(requests.map((one) => one.answered.then(() => one)))
    expect(await refused.answered).toBe(429)
    await refused.closed
    const [first, second] = requests.filter((one) => one !== refused)
    first?.socket.write('x'.repeat(90))
    expect(await first?.answered).toBe(200)
    const next = slow(port)
    const more = slow(port)
    expect(await Promise.race([next.answered, more.answered, second?.answered])).toBe(429)
  })

  it('whose sender goes away are counted no more', async () => {
    const port = await appOf(
      fewSlowBodies(withinTime(rawBody('1kb'), 60_000), { inAll: 1, slowMs: 20 }),
    )
    const requests = [slow(port), slow(port)]
    const refused = await Promise.race(requests.map((one) => one.answered.then(() => one)))
    expect(await refused.answered).toBe(429)
    for (const { socket } of requests) socket.destroy()
    const [next, more] = [slow(port), slow(port)]
    expect(await Promise.race([next.answered, more.answered])).toBe(429) // the other one is read
  })

  it('are no reason to refuse quick ones, however many', async () => {
    const port = await appOf(
      fewSlowBodies(withinTime(rawBody('1kb'), 60_000), { inAll: 1, slowMs: 10_000 }),
    )
    const quick = Array.from({ length: 50 }, () => slow(port, '/', 100).answered)
    expect(await Promise.all(quick)).toEqual(Array(50).fill(200))
  })
})

describe('the product', () => {
  it('reads some webhooks that are slow, and refuses the rest of three hundred', async () => {
    const shop = await openShop({ worker: false })
    const port = await serve(shop.app)
    const many = Array.from({ length: 300 }, () => slow(port, '/v1/webhooks/payments/sandbox'))
    const refused = () => many.filter(({ text }) => text().includes(' 429 ')).length
    await expect.poll(refused, { timeout: 20_000 }).toBe(280)
    await shop.close()
  })
})
