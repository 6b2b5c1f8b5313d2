import { randomBytes } from 'node:crypto'
import { databaseNow } from '../db/clock.ts'
import { type RequestIdentity, writeOnce } from '../db/idempotency.ts'
import {
  findPresented,
  type IdentityPresentation,
  type IdentityRow,
  type NewIdentity,
  pepperOf,
  readIdentity,
  registerIdentity,
  revokeIdentity,
} from '../db/identities.ts'
import type { Dependencies } from './dependencies.ts'

const PEPPER_BYTES = 32

/** Who stands at a till, and how members are recognised. */
export function memberCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const now = async () => (await databaseNow(pool)).toISOString()

  return {
    /** A writer because the reading of a device's token is remembered. */
    findMember: (presented: IdentityPresentation) => findPresented(pool, presented),

    registerIdentity: async (request: RequestIdentity, identity: NewIdentity) =>
      registerIdentity(pool, request, identity, await now()),

    /** Undefined where there is no such identity. */
    revokeIdentity: async (request: RequestIdentity, id: string) => {
      const at = await now()
      return writeOnce<IdentityRow | undefined>(pool, request, {
        resource: id,
        first: (tx) => revokeIdentity(tx, request.workspace, id, at),
        again: (tx) => readIdentity(tx, request.workspace, id),
      })
    },

    /** Made at first use, base64. */
    memberPepper: (workspace: string) =>
      pepperOf(pool, workspace, randomBytes(PEPPER_BYTES).toString('base64')),
  }
}
