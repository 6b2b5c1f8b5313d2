import { randomBytes } from 'node:crypto'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import {
  findPresented,
  type NewIdentity,
  type Presented,
  pepperOf,
  registerIdentity,
  revokeIdentity,
} from '../db/identities.ts'
import { mergeSettings, type SettingsChange } from '../db/settings.ts'
import type { Dependencies } from './dependencies.ts'

const PEPPER_BYTES = 32

/** The writers behind a till's reads: who stands there, how members are recognised, the settings. */
export function memberActivities({ pool }: Pick<Dependencies, 'pool'>) {
  const now = async () => (await databaseNow(pool)).toISOString()

  return {
    /** A writer because the reading of a device's token is remembered. */
    findMember: (presented: Presented) => findPresented(pool, presented),

    registerIdentity: async (request: RequestIdentity, identity: NewIdentity) =>
      registerIdentity(pool, request, identity, await now()),

    revokeIdentity: async (workspace: string, id: string) =>
      revokeIdentity(pool, workspace, id, await now()),

    /** Made at first use, base64. */
    memberPepper: (workspace: string) =>
      pepperOf(pool, workspace, randomBytes(PEPPER_BYTES).toString('base64')),

    mergeSettings: async (workspace: string, change: SettingsChange) =>
      mergeSettings(pool, workspace, change, await now()),
  }
}
