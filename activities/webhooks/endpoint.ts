import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { claimKey, type RequestIdentity } from '../../db/idempotency.ts'
import {
  disableEndpoint,
  type EndpointChange,
  type EndpointRow,
  enableEndpoint,
  insertEndpoint,
  markDeleted,
  type NewEndpoint,
  type Replay,
  replayEvents,
  rollSecret,
  updateEndpoint,
  writeTestEvent,
} from '../../db/webhook-endpoints.ts'
import { transact } from '../../db/workspace-client.ts'
import { refuse } from '../../domain/refusal.ts'
import { newWebhookSecret } from '../../domain/secrets.ts'
import type { Created } from '../account.ts'
import type { Dependencies } from '../dependencies.ts'
import { addressGuard } from './addresses.ts'

/** The writers of webhook endpoints, run by the API. */
export function webhookEndpointActivities(
  dependencies: Pick<Dependencies, 'pool' | 'allowedAddresses'>,
) {
  const { pool, allowedAddresses = [] } = dependencies
  const allowed = addressGuard(allowedAddresses)

  return {
    /** Refused (parameter_invalid): a URL whose host is, or has, a private address. */
    createWebhookEndpoint: async (
      request: RequestIdentity,
      values: Omit<NewEndpoint, 'secret'>,
    ): Promise<Created<EndpointRow>> => {
      await refusePrivate(values.url, allowed)
      return transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, values.id)
        if (replayOf !== undefined) return { replayOf }
        return { row: await insertEndpoint(tx, { ...values, secret: newWebhookSecret() }) }
      })
    },

    /** Undefined where there is no such endpoint; refused as at creation. */
    updateWebhookEndpoint: async (
      request: RequestIdentity,
      id: string,
      change: EndpointChange,
      status: EndpointRow['status'] | undefined,
    ): Promise<EndpointRow | undefined> => {
      if (change.url !== undefined) await refusePrivate(change.url, allowed)
      return transact(pool, request.workspace, async (tx) => {
        await claimKey(tx, request, id)
        if (status === 'enabled') await enableEndpoint(tx, request.workspace, id)
        if (status === 'disabled') await disableEndpoint(tx, request.workspace, id)
        return updateEndpoint(tx, request.workspace, id, change)
      })
    },

    /** Its delivery log stays; nothing is sent to it any more. */
    deleteWebhookEndpoint: ({ workspace, id }: { workspace: string; id: string }): Promise<void> =>
      transact(pool, workspace, async (tx) => {
        await disableEndpoint(tx, workspace, id)
        await markDeleted(tx, workspace, id)
      }),

    /** A repeat under the same key changes nothing. Undefined where there is no such endpoint. */
    rollWebhookSecret: (
      request: RequestIdentity,
      id: string,
      overlapHours: number,
    ): Promise<{ row?: EndpointRow; replayed: boolean }> =>
      transact(pool, request.workspace, async (tx) => {
        if ((await claimKey(tx, request, id)) !== undefined) {
          return { row: await updateEndpoint(tx, request.workspace, id, {}), replayed: true }
        }
        const secret = newWebhookSecret()
        const row = await rollSecret(tx, request.workspace, id, secret, overlapHours)
        return { row, replayed: false }
      }),

    /** The event's id, a repeat's too; null where the endpoint is not enabled. */
    testWebhookEndpoint: (
      request: RequestIdentity,
      endpoint: string,
      event: string,
    ): Promise<string | null> =>
      transact(pool, request.workspace, async (tx) => {
        const replayOf = await claimKey(tx, request, event)
        return replayOf ?? (await writeTestEvent(tx, request.workspace, endpoint, event))
      }),

    replayWebhookEvents: (replay: Replay) => replayEvents(pool, replay),
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
