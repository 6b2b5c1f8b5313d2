import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A way to the server at `address` on which nothing moves while it hangs; connections stay open. */
export async function hangingTemporal(address: string) {
  const [host = '127.0.0.1', port] = address.split(':')
  const sockets = new Set<Socket>()
  let hangs = false
  const server = createServer((outer) => {
    const inner = connect(Number(port), host)
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
      one.on('close', () => sockets.delete(one))
      one.pipe(other)
      if (hangs) one.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the front has no port')
  return {
    address: `127.0.0.1:${bound.port}`,
    hang: () => {
      hangs = true
      for (const socket of sockets) socket.pause()
    },
    goOn: () => {
      hangs = false
      for (const socket of sockets) socket.resume()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
