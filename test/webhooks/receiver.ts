import { createServer, type IncomingHttpHeaders } from 'node:http'

export type ReceivedRequest = { headers: IncomingHttpHeaders; body: string; atMs: number }
export type Answer = {
  status?: number
  headers?: Record<string, string>
  body?: string
  hang?: boolean
}

/** A merchant's server: keeps what it receives, and answers what the test tells it to. */
export async function openReceiver(
  answer: (received: ReceivedRequest, count: number) => Answer = () => ({}),
) {
  const received: ReceivedRequest[] = []
  const waiting: { enough: () => boolean; resolve: () => void }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = {
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        atMs: Date.now(),
      }
      received.push(one)
      const { status = 200, headers = {}, body = 'ok', hang = false } = answer(one, received.length)
      if (!hang) response.writeHead(status, headers).end(body)
      for (const wait of waiting) if (wait.enough()) wait.resolve()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    port: address.port,
    received,
    events: () => received.map(({ body }) => JSON.parse(body)),
    /** Resolves once this many have come, or as many of those that match. */
    until: (count: number, matches?: (event: { type: string; id: string }) => boolean) =>
      new Promise<void>((resolve) => {
        const enough = () =>
          (matches === undefined
            ? received
            : received.filter(({ body }) => matches(JSON.parse(body)))
          ).length >= count
        if (enough()) resolve()
        else waiting.push({ enough, resolve })
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export type Receiver = Awaited<ReturnType<typeof openReceiver>>
