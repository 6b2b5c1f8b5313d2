import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'

/**
 * The least an HTTP server can do to read a member: one SELECT by its key, the row as JSON. In a process
 * of its own, as the product's API is. The path is the member's id.
 */

const SELECT = 'select * from account where workspace = $1 and id = $2'

const { DATABASE_URL, WORKSPACE } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 })
const server = createServer((request, response) => {
  pool
    .query({ name: 'read', text: SELECT, values: [WORKSPACE, request.url?.slice(1)] })
    .then(({ rows }) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(rows[0])),
    )
    .catch((error: unknown) => response.writeHead(500).end(String(error)))
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send?.({ port })
})
process.once('disconnect', () => process.exit())
