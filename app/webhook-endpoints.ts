import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { settleEndpoint } from '../db/attention.ts'
import { findEvent } from '../db/events.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { webhookReplay, webhookTest } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
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
  rollSecret,
  updateEndpoint,
} from '../db/webhook-endpoints.ts'
import type { Db } from '../db/workspace-client.ts'
import { refuse } from '../domain/refusal.ts'
import { newWebhookSecret } from '../domain/secrets.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'
import { missing, notFound } from './refusals.ts'
import { addressGuard } from './webhooks/send.ts'

const noun = 'webhook endpoint'

/** The writers of webhook endpoints. */
export function webhookEndpointCommands(
  dependencies: Pick<Dependencies, 'pool' | 'allowedAddresses'>,
) {
  const { pool, allowedAddresses = [] } = dependencies
  const allowed = addressGuard(allowedAddresses)

  return {
    /** Refused (parameter_invalid): a URL whose host is, or has, a private address. */
    createWebhookEndpoint: (
      request: RequestIdentity,
      values: Omit<NewEndpoint, 'secret'>,
    ): Promise<Written<EndpointRow>> =>
      idempotent(pool, request, {
        noun,
        id: values.id,
        prepare: async () => {
          await refusePrivate(values.url, allowed)
          return (tx) => insertEndpoint(tx, { ...values, secret: newWebhookSecret() })
        },
        find: lockEndpoint,
      }),

    /** What `changeOf` makes of the endpoint as it is, under its lock. Refused as at creation. */
    updateWebhookEndpoint: (
      request: RequestIdentity,
      id: string,
      changeOf: (before: EndpointRow) => EndpointChange,
      { url, status }: { url?: string | undefined; status?: EndpointRow['status'] | undefined },
    ): Promise<Written<EndpointRow>> =>
      changeOnce(pool, request, {
        noun,
        id,
        lock: lockEndpoint,
        prepare: async () => {
          if (url !== undefined) await refusePrivate(url, allowed)
          return async (tx, before) => {
            if (status === 'enabled') {
              await enableEndpoint(tx, request.workspace, id)
              if (before.status === 'disabled') await settleEndpoint(tx, request.workspace, id)
            }
            if (status === 'disabled') await disableEndpoint(tx, request.workspace, id)
            return updateEndpoint(tx, request.workspace, id, changeOf(before))
          }
        },
      }),

    /** Its id. Its delivery log stays; nothing is sent to it any more. */
    deleteWebhookEndpoint: (request: RequestIdentity, id: string): Promise<Written<string>> =>
      idempotent(pool, request, {
        noun,
        id,
        write: async (tx) => {
          const before = await lockEndpoint(tx, request.workspace, id)
          if (before === undefined) return undefined
          await disableEndpoint(tx, request.workspace, id)
          await markDeleted(tx, request.workspace, id)
          await settleEndpoint(tx, request.workspace, id)
          return before.id
        },
        find: async (_db, _workspace, deleted) => deleted,
      }),

    rollWebhookSecret: (
      request: RequestIdentity,
      id: string,
      overlapHours: number,
    ): Promise<Written<EndpointRow>> =>
      changeOnce(pool, request, {
        noun,
        id,
        lock: lockEndpoint,
        change: (tx) => rollSecret(tx, request.workspace, id, newWebhookSecret(), overlapHours),
      }),

    ...deliveryCommands(pool),
  }
}

/** What is sent to an endpoint once more, or to try it. */
function deliveryCommands(pool: Pool) {
  return {
    /** The event's id. Refused: an endpoint that there is not, or that is disabled. */
    testWebhookEndpoint: (
      request: RequestIdentity,
      endpoint: string,
      event: string,
    ): Promise<Written<string>> =>
      idempotent(pool, request, {
        noun: 'event',
        id: event,
        write: async (tx) => {
          await refuseDisabled(tx, request.workspace, endpoint)
          const { workspace } = request
          return (await webhookTest(tx, { workspace, endpoint, event })) ?? undefined
        },
        find: async (_db, _workspace, written) => written,
      }),

    /** How many deliveries were made, now or by the first request with the key. Refused as a test is; and an event that there is not. */
    replayWebhookEvents: (request: RequestIdentity, replay: Replay): Promise<Written<number>> =>
      idempotent(pool, request, {
        noun,
        id: replay.operation,
        prepare: async () => {
          for (const id of replay.events ?? []) {
            if ((await findEvent(pool, replay.workspace, id)) === undefined) missing('event', id)
          }
          return async (tx) => {
            await refuseDisabled(tx, replay.workspace, replay.endpoint)
            return webhookReplay(tx, replay)
          }
        },
        find: (db, _workspace, operation) => countReplayed(db, { ...replay, operation }),
      }),
  }
}

/** Locks it, so that it is not disabled meanwhile. */
async function refuseDisabled(tx: Db, workspace: string, id: string): Promise<void> {
  const row = await lockEndpoint(tx, workspace, id)
  if (row === undefined) notFound(noun, id)
  if (row.status === 'disabled') {
    refuse('parameter_invalid', 'id: the endpoint is disabled.', { param: 'id' })
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
