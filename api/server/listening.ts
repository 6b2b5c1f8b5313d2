import type { Server } from 'node:http'

type Place = { readonly host: string; readonly port: number; readonly backlog?: number }

/** Resolves once the server listens; rejects where it cannot. */
export function listening(server: Server, { host, port, backlog }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, ...(backlog === undefined ? {} : { backlog }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
