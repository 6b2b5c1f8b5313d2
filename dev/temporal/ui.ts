import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { isLoopbackHost, listening } from '../../process/http.ts'

const HOST = '127.0.0.1'

/**
 * Serves the Temporal UI of `innerPort` with `port`, both on 127.0.0.1, to requests that name this
 * machine as their host: the UI itself answers any, and so a web page whose name was made to resolve
 * to 127.0.0.1 could read and cancel runs. Rejects where the port is taken.
 */
export async function serveUi(port: number, innerPort: number): Promise<{ close(): void }> {
  const server = createServer((asked, answer) => {
    if (isLoopbackHost(asked.headers.host)) passOn(asked, answer, innerPort)
    else answer.writeHead(403).end('The Temporal UI is opened as localhost or 127.0.0.1.\n')
  })
  await listening(server, { host: HOST, port })
  return {
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function passOn(asked: IncomingMessage, answer: ServerResponse, port: number) {
  const { method, url: path, headers } = asked
  const inner = request({ host: HOST, port, method, path, headers }, (answered) => {
    answer.writeHead(answered.statusCode ?? 502, answered.rawHeaders)
    // A reader who leaves ends the answer, and one that breaks off ends the reader's.
    pipeline(answered, answer, () => {})
  })
  inner.once('error', (error) => {
    if (answer.headersSent) answer.destroy()
    else answer.writeHead(502).end(`The Temporal UI does not answer: ${error.message}\n`)
  })
  answer.once('close', () => inner.destroy())
  asked.pipe(inner)
}
