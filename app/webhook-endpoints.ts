import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { changeOnce, claimKey, type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import {
  countReplayed,
  disableEndpoint,
  type EndpointChange,
  type EndpointRow,
  enableEndpoint,
  insertEndpoint,
  lockEndpoint,
  markDeleted,
  type NewEndpoint,
  type Replay,
  replayEvents,
  rollSecret,
  updateEndpoint,
  writeTestEvent,
} from '../db/webhook-endpoints.ts'
import { transact } from '../db/workspace-client.ts'
import { refuse } from '../domain/refusal.ts'
import { newWebhookSecret } from '../domain/secrets.ts'
import type { Creation } from './accounts.ts'
import type { Dependencies } from './dependencies.ts'
import { addressGuard } from './webhooks/addresses.ts'

/** The writers of webhook endpoints. */
export function webhookEndpointCommands(
  dependencies: Pick<Dependencies, 'pool' | 'allowedAddresses'>,
) {
  const { pool, allowedAddresses = [] } = dependencies
  const allowed = addressGuard(allowedAddresses)

  return {
    /** Refused (parameter_invalid): a URL whose host is, or has, a private address. */
    createWebhookEndpoint: async (
      request: RequestIdentity,
      values: Omit<NewEndpoint, 'secret'>,
    ): Promise<Creation<EndpointRow>> => {
      await refusePrivate(values.url, allowed)
      return transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        if (replayOf !== undefined) return { replayOf }
        return { row: await insertEndpoint(tx, { ...values, secret: newWebhookSecret() }) }
      })
    },

    /**
     * What `changeOf` makes of the endpoint as it is, under its lock; undefined where there is none.
     * Refused as at creation.
     */
    updateWebhookEndpoint: async (
      request: RequestIdentity,
      id: string,
      changeOf: (before: EndpointRow) => EndpointChange,
      { url, status }: { url?: string | undefined; status?: EndpointRow['status'] | undefined },
    ) => {
      if (url !== undefined) await refusePrivate(url, allowed)
      return changeOnce(pool, request, id, lockEndpoint, async (tx, before) => {
        if (status === 'enabled') await enableEndpoint(tx, request.workspace, id)
        if (status === 'disabled') await disableEndpoint(tx, request.workspace, id)
        return updateEndpoint(tx, request.workspace, id, changeOf(before))
      })
    },

    /** Its id; undefined where there is none. Its delivery log stays; nothing is sent to it any more. */
    deleteWebhookEndpoint: (request: RequestIdentity, id: string) =>
      writeOnce<string | undefined>(pool, request, {
        resource: id,
        first: async (tx) => {
          const before = await lockEndpoint(tx, request.workspace, id)
          if (before === undefined) return undefined
          await disableEndpoint(tx, request.workspace, id)
          await markDeleted(tx, request.workspace, id)
          return before.id
        },
        again: async (_tx, deleted) => deleted,
      }),

    /** Undefined where there is no such endpoint. */
    rollWebhookSecret: (request: RequestIdentity, id: string, overlapHours: number) =>
      changeOnce(pool, request, id, lockEndpoint, (tx) =>
        rollSecret(tx, request.workspace, id, newWebhookSecret(), overlapHours),
      ),

    /** The event's id, a repeat's too; null where the endpoint is not enabled. */
    testWebhookEndpoint: (request: RequestIdentity, endpoint: string, event: string) =>
      writeOnce<string | null>(pool, request, {
        resource: event,
        first: (tx) => writeTestEvent(tx, request.workspace, endpoint, event),
        again: async (_tx, written) => written,
        isNo: (written) => written === null,
      }),

    /** How many deliveries were made, now or by the first request with the key. */
    replayWebhookEvents: (request: RequestIdentity, replay: Replay) =>
      writeOnce(pool, request, {
        resource: replay.operation,
        first: (tx) => replayEvents(tx, replay),
        again: (tx, operation) => countReplayed(tx, { ...replay, operation }),
      }),
  }
}

/** A name that does not resolve now may later; what counts is judged again at each connection. */
async function refusePrivate(url: string, allowed: (address: string) => boolean): Promise<void> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const addresses =
    isIP(host) !== 0 ? [host] : (await lookup(host, { all: true }).catch(() => [])).map(ofFound)
  if (!addresses.every(allowed)) {
    refuse('parameter_invalid', 'url: its host is a private address, which webhooks never reach.', {
      param: 'url',
    })
  }
}

const ofFound = ({ address }: { address: string }) => address
