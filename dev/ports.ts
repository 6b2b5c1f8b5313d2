import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const HOST = '127.0.0.1'

/**
 * The preferred port where nobody on this machine listens with it, else one that the system chose.
 * Another process may take the port before the caller binds it, so a caller that must not fail
 * asks again.
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await canListen(preferred))) return preferred
  return await anyPort()
}

/** Whether a server could listen with this port now, on 127.0.0.1 and on all addresses alike. */
async function canListen(port: number): Promise<boolean> {
  // A listener on all addresses does not always refuse a second one on 127.0.0.1, hence both.
  return (await listensOn(port, HOST)) && (await listensOn(port, '0.0.0.0'))
}

async function listensOn(port: number, host: string): Promise<boolean> {
  const server = createServer()
  server.listen({ port, host, exclusive: true })
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

async function anyPort(): Promise<number> {
  const server = createServer()
  server.listen({ port: 0, host: HOST, exclusive: true })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No free port to be had')
  return address.port
}

const CHECK_EVERY_MS = 20 // nobody tells when a port opens; a refused connection costs nothing

/** Resolves once something accepts connections on 127.0.0.1 with this port; `signal` ends it. */
export async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  while (!(await accepts(port))) await delay(CHECK_EVERY_MS, undefined, { signal })
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: HOST })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
