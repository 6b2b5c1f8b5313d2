import { insertApiKey, revokeApiKey } from '../db/api-keys.ts'
import { insertPaymentSecret, rollPaymentSecret } from '../db/payment-secrets.ts'
import type { Pool } from '../db/pool.ts'
import { type Db, transact } from '../db/workspace-client.ts'
import { hasWorkspace, insertWorkspace, readLivemode } from '../db/workspaces.ts'
import { newId } from '../domain/ids.ts'
import type { HeldScope } from '../domain/scopes.ts'
import { type KeyKind, keyParts, newApiKey, newWebhookSecret } from '../domain/secrets.ts'

type KeySettings = {
  expiresAt?: Date | null | undefined
  name?: string | null | undefined
  scopes?: readonly HeldScope[] | undefined
}
type WorkspaceKeys = { secretKey: string; publishableKey: string; paymentSecret: string }

/** The writers of tenants and keys, run by the command line and the demo data. */
export function workspaceCommands({ pool }: { pool: Pool }) {
  return {
    /** A workspace with its default program, keys and the sandbox's signing secret; what exists stays. */
    createWorkspace: async (
      id: string,
      name: string,
      livemode: boolean,
      given: Partial<WorkspaceKeys> = {},
    ) => {
      const keys: WorkspaceKeys = {
        secretKey: given.secretKey ?? newApiKey('secret', livemode),
        publishableKey: given.publishableKey ?? newApiKey('publishable', livemode),
        paymentSecret: given.paymentSecret ?? newWebhookSecret(),
      }
      const paymentEndpoint = await transact(pool, id, async (tx) => {
        await insertWorkspace(tx, id, name, livemode)
        await insertApiKey(tx, keyRow(id, 'secret', keys.secretKey))
        await insertApiKey(tx, keyRow(id, 'publishable', keys.publishableKey))
        return insertPaymentSecret(tx, secretRow(id, 'sandbox', keys.paymentSecret))
      })
      return { ...keys, paymentEndpoint }
    },

    /** A key of the workspace's own mode, returned once and never again. Throws where there is no such workspace. */
    createKey: async (
      workspace: string,
      kind: KeyKind,
      { expiresAt = null, name = null, scopes = ['*'] }: KeySettings = {},
    ) =>
      transact(pool, workspace, async (tx) => {
        const key = newApiKey(kind, await livemodeOf(tx, workspace))
        const row = { ...keyRow(workspace, kind, key), expiresAt, name, scopes: [...scopes] }
        await insertApiKey(tx, row)
        return { id: row.id, key }
      }),

    /**
     * What a provider signs this workspace's webhooks with; `mapping` says where the generic one puts
     * what. Returns the endpoint that it opens, or has opened before. Throws where there is no such
     * workspace.
     */
    addPaymentSecret: (
      workspace: string,
      provider: string,
      secret: string,
      mapping: Record<string, unknown> | null = null,
    ) =>
      transact(pool, workspace, async (tx) => {
        await mustExist(tx, workspace)
        return insertPaymentSecret(tx, { ...secretRow(workspace, provider, secret), mapping })
      }),

    /**
     * The endpoint's next secret; those before it are taken for `overlapHours` more. Without a mapping the
     * endpoint keeps its own. A repeat changes nothing. Throws where the workspace has no such endpoint.
     */
    rollPaymentSecret: (
      workspace: string,
      endpoint: string,
      secret: string,
      overlapHours: number,
      mapping: Record<string, unknown> | null = null,
    ): Promise<{ provider: string }> =>
      transact(pool, workspace, async (tx) => {
        const next = { id: newId('whs'), secret, mapping, overlapHours }
        const rolled = await rollPaymentSecret(tx, workspace, endpoint, next)
        if (rolled === undefined) throw new Error(`${workspace} has no endpoint ${endpoint}.`)
        return rolled
      }),

    /** False where the workspace has no such key. */
    revokeKey: (workspace: string, id: string) =>
      transact(
        pool,
        workspace,
        async (tx) => (await revokeApiKey(tx, workspace, id)) !== undefined,
      ),
  }
}

// The database would refuse the row as well, in an error that quotes the secret.
async function mustExist(tx: Db, workspace: string): Promise<void> {
  if (!(await hasWorkspace(tx, workspace))) throw new Error(`There is no workspace ${workspace}.`)
}

function secretRow(workspace: string, provider: string, secret: string) {
  const id = newId('whs')
  return { workspace, id, endpoint: id, provider, secret, sharedAddress: provider === 'sandbox' }
}

async function livemodeOf(tx: Db, workspace: string): Promise<boolean> {
  const livemode = await readLivemode(tx, workspace)
  if (livemode === undefined) throw new Error(`There is no workspace ${workspace}.`)
  return livemode
}

function keyRow(workspace: string, kind: KeyKind, key: string) {
  return { workspace, id: newId('key'), kind, ...keyParts(key) }
}
