import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../api/shop.ts'
import { attack } from '../schemathesis/schemathesis.ts'

// `npm run test:long` attacks for twelve minutes with new cases each time; `npm run schemathesis` sends those
// that follow from the document alone, the same each time.
const SECONDS = Number(process.env.SCHEMATHESIS_SECONDS ?? 720)
const SEED = process.env.SCHEMATHESIS_SEED ?? String(Date.now() % 1_000_000)
const isShort = SECONDS === 0
const SLACK_MS = 600_000 // the first run installs schemathesis

let shop: Shop
let server: ReturnType<typeof createServer>

beforeAll(async () => {
  // keys left out and keys made up are part of it
  shop = await openShop({ failedKeysPerMinute: 1_000_000 })
  server = createServer(shop.app).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await shop.close()
})

test(
  'the API answers as its document says, whatever it is sent, and the books hold',
  async () => {
    const { clean, report } = await attack({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      apiKey: shop.keys.secretKey,
      phases: isShort ? 'examples,coverage' : 'examples,coverage,fuzzing,stateful',
      ...(isShort ? { seed: 1 } : { seed: Number(SEED), seconds: SECONDS }),
      onProgress: (line) => console.log(line),
    })
    expect(clean, report).toBe(true)
    expect(await shop.reconcile()).toEqual([])
  },
  SECONDS * 1_000 + SLACK_MS,
)
