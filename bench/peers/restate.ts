import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import * as restate from '@restatedev/restate-sdk'
import { connect, rpc } from '@restatedev/restate-sdk-clients'
import { HOLD_MS, required } from './environment.ts'
import { type Peer, serve } from './front.ts'
import { apply, createTables, debit, release } from './ledger.ts'

/**
 * Three ways to hold points on Restate, chosen by VARIANT:
 * - send: a handler debits in `ctx.run` and sends a delayed release;
 * - armed: the request sends a delayed release through the ingress, then debits;
 * - pay: a handler debits and starts a workflow, which waits for a durable promise or its timer.
 */

interface Hold {
  redemption: string
  account: string
}

const releases = restate.service({
  name: 'releases',
  handlers: {
    release: async (ctx: restate.Context, redemption: string) => {
      await ctx.run('release', () => release(redemption))
    },
  },
})

const redemptions = restate.workflow({
  name: 'redemptions',
  handlers: {
    run: async (ctx: restate.WorkflowContext, redemption: string) => {
      try {
        await ctx.promise<string>('payment').get().orTimeout(HOLD_MS)
      } catch (error) {
        if (!(error instanceof restate.TimeoutError)) throw error
        await ctx.run('release', () => release(redemption))
        return
      }
      await ctx.run('apply', () => apply(redemption))
    },
    pay: async (ctx: restate.WorkflowSharedContext, event: string) => {
      await ctx.promise<string>('payment').resolve(event)
    },
  },
})

const holds = restate.service({
  name: 'holds',
  handlers: {
    send: async (ctx: restate.Context, { redemption, account }: Hold) => {
      const held = await ctx.run('debit', () => debit(redemption, account))
      const later = restate.rpc.sendOpts<string>({ delay: HOLD_MS })
      if (held) ctx.serviceSendClient(releases).release(redemption, later)
      return held
    },
    pay: async (ctx: restate.Context, { redemption, account }: Hold) => {
      const held = await ctx.run('debit', () => debit(redemption, account))
      if (held) ctx.workflowSendClient(redemptions, redemption).run(redemption)
      return held
    },
  },
})

await createTables()
const handlers = createServer(
  restate.createEndpointHandler({ services: [holds, releases, redemptions] }),
)
await once(handlers.listen(0, '127.0.0.1'), 'listening')
const { port } = handlers.address() as AddressInfo
const registered = await fetch(`${required('RESTATE_ADMIN')}/deployments`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
})
if (!registered.ok) throw new Error(await registered.text())

const ingress = connect({ url: required('RESTATE_INGRESS') })
const oncePer = (redemption: string) => rpc.opts<Hold, boolean>({ idempotencyKey: redemption })

const peers: Record<string, Peer> = {
  send: {
    create: async (redemption, account) =>
      await ingress.serviceClient(holds).send({ redemption, account }, oncePer(redemption)),
  },
  armed: {
    create: async (redemption, account) => {
      const later = rpc.sendOpts<string>({ delay: HOLD_MS, idempotencyKey: redemption })
      await ingress.serviceSendClient(releases).release(redemption, later)
      return await debit(redemption, account)
    },
  },
  pay: {
    create: async (redemption, account) =>
      await ingress.serviceClient(holds).pay({ redemption, account }, oncePer(redemption)),
    pay: async (redemption, event) => {
      await ingress.workflowClient(redemptions, redemption).pay(event)
    },
  },
}

const peer = peers[required('VARIANT')]
if (peer === undefined) throw new Error('VARIANT is none of send, armed, pay')
serve(peer)
