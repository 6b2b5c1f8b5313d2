import { createServer } from 'node:http'
import { ENDPOINTS } from '../../api/server/endpoints.ts'
import { openShop, type Shop } from '../api/shop.ts'

export type ShopServer = Shop & { baseUrl: string }

/** The whole product behind a real port, and the environment that the documents' snippets read. */
export async function serve(): Promise<ShopServer> {
  const shop = await openShop()
  const server = createServer(shop.app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const baseUrl = `http://127.0.0.1:${address.port}`
  process.env.VINR_BASE_URL = baseUrl
  process.env.VINR_SECRET_KEY = shop.keys.secretKey
  return {
    ...shop,
    baseUrl,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await shop.close()
    },
  }
}

/** Whether this server has the route yet: the documents' pages are built one by one. */
export const has = (method: string, path: string): boolean =>
  ENDPOINTS.some((endpoint) => endpoint.method === method && endpoint.path === path)
