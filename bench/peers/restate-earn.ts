import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import * as restate from '@restatedev/restate-sdk'
import { connect, rpc } from '@restatedev/restate-sdk-clients'
import { serveEarning } from './earn-front.ts'
import { createTables, earn, type PaidEvent } from './earn-ledger.ts'
import { required } from './environment.ts'

/** Points for a payment on Restate: a handler, sent to once for each event, whose one step writes them. */
const earnings = restate.service({
  name: 'earnings',
  handlers: {
    earn: async (ctx: restate.Context, event: PaidEvent) => {
      await ctx.run('earn', () => earn(event))
    },
  },
})

await createTables()
const handlers = createServer(restate.createEndpointHandler({ services: [earnings] }))
await once(handlers.listen(0, '127.0.0.1'), 'listening')
const { port } = handlers.address() as AddressInfo
const registered = await fetch(`${required('RESTATE_ADMIN')}/deployments`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
})
if (!registered.ok) throw new Error(await registered.text())

const ingress = connect({ url: required('RESTATE_INGRESS') })
serveEarning(async (event) => {
  const oncePer = rpc.sendOpts<PaidEvent>({ idempotencyKey: event.id })
  await ingress.serviceSendClient(earnings).earn(event, oncePer)
})
