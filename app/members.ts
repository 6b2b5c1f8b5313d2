import { randomBytes } from 'node:crypto'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
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
import { refusalSentence } from '../domain/ledger-refusal.ts'
import { Refused } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import { idempotent, type Written } from './idempotent.ts'

const PEPPER_BYTES = 32

/** Who stands at a till, and how members are recognised. */
export function memberCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const now = async () => (await databaseNow(pool)).toISOString()

  return {
    /** A writer because the reading of a device's token is remembered. */
    findMember: (presented: IdentityPresentation) => findPresented(pool, presented),

    /** A refusal of one that is taken names `param`, by which the request gave it. */
    registerIdentity: async (
      request: RequestIdentity,
      identity: NewIdentity,
      param: string,
    ): Promise<Written<IdentityRow>> => {
      const registered = await registerIdentity(pool, request, identity, await now())
      if (registered.refusal === undefined) return registered
      const refusal = refusalSentence(registered.refusal)
      const isTaken = refusal.code === 'account_already_exists'
      throw new Refused(isTaken ? { ...refusal, param } : refusal)
    },

    revokeIdentity: async (request: RequestIdentity, id: string): Promise<Written<IdentityRow>> => {
      const at = await now()
      return idempotent(pool, request, {
        noun: 'identity',
        id,
        write: (tx) => revokeIdentity(tx, request.workspace, id, at),
        find: readIdentity,
      })
    },

    /** Made at first use, base64. */
    memberPepper: (workspace: string) =>
      pepperOf(pool, workspace, randomBytes(PEPPER_BYTES).toString('base64')),
  }
}
