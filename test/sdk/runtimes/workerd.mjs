import { check } from './check.mjs'
import * as sdk from './sdk/dist/index.js'

/** Cloudflare's runtime: answers a request that carries the settings. */
export default {
  fetch: async (request) => Response.json(await check(sdk, await request.json())),
}
