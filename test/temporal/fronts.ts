import { once } from 'node:events'
import { createSecureServer, type IncomingHttpHeaders } from 'node:http2'
import { connect, type Server, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Identity } from './certificates.ts'

type Front = { address: string; close(): Promise<void> }

/** A server's TLS in front of the one at `address`: nobody gets through without a certificate of `clients`. */
export async function openTlsFront(
  address: string,
  { certificate, key }: Identity,
  clients: string,
): Promise<Front & { refused: string[] }> {
  const [host, port] = address.split(':')
  const refused: string[] = []
  const server = createServer(
    {
      cert: certificate,
      key,
      ca: clients,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
    },
    (outer) => {
      const inner = connect(Number(port), host)
      outer.on('error', () => inner.destroy()).on('close', () => inner.destroy())
      inner.on('error', () => outer.destroy()).on('close', () => outer.destroy())
      outer.pipe(inner).pipe(outer)
    },
  )
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => refused.push(`${error.code}`))
  return { ...(await listening(server)), refused }
}

/** A gRPC server that keeps the headers of every call, and answers each with an empty message. */
export async function openRecorder({
  certificate,
  key,
}: Identity): Promise<Front & { calls: IncomingHttpHeaders[] }> {
  const calls: IncomingHttpHeaders[] = []
  const server = createSecureServer({ cert: certificate, key })
  server.on('stream', (stream, headers) => {
    calls.push(headers)
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.alloc(5)) // not compressed, of length 0
  })
  return { ...(await listening(server)), calls }
}

async function listening(server: Server): Promise<Front> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    address: `127.0.0.1:${address.port}`,
    close: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
}
