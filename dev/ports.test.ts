import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort, untilListening } from './ports.ts'

async function listening(host?: string) {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, port: address.port }
}

test('the preferred port is given where nobody listens with it', async () => {
  const port = await freePort()
  expect(await freePort(port)).toBe(port)
})

test.each([['127.0.0.1'], ['0.0.0.0'], [undefined]])(
  'another port is given where somebody listens on %s',
  async (host) => {
    const { server, port } = await listening(host)
    expect(await freePort(port)).not.toBe(port)
    server.close()
  },
)

test('waiting for a port ends when something accepts connections', async () => {
  const port = await freePort()
  const waiting = untilListening(port, AbortSignal.timeout(5_000))
  const server = createServer().listen(port, '127.0.0.1')
  await waiting
  expect(server.listening).toBe(true)
  server.close()
})

test('waiting for a port ends when it is aborted', async () => {
  const port = await freePort()
  await expect(untilListening(port, AbortSignal.timeout(50))).rejects.toThrow()
})
