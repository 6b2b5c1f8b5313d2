import { randomBytes } from 'node:crypto'
import { databaseNow } from '../db/clock.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { memberForget, memberIdentify, memberPepperOf } from '../db/ledger.gen.ts'
import {
  findPresented,
  type IdentityPresentation,
  type IdentityRow,
  type NewIdentity,
  readIdentity,
  readIdentityRow,
} from '../db/members.ts'
import { refusalSentence } from '../domain/ledger-refusal.ts'
import { Refused } from '../domain/refusal.ts'
import type { Dependencies } from './dependencies.ts'
import { idempotent, type Written } from './idempotent.ts'

const PEPPER_BYTES = 32

/** Who stands at a till, and how members are recognised. */
export function memberCommands({ pool }: Pick<Dependencies, 'pool'>) {
  const now = () => databaseNow(pool)

  return {
    /** A writer because the reading of a device's token is remembered. */
    findMember: (presented: IdentityPresentation) => findPresented(pool, presented),

    /** A refusal of one that is taken names `param`, by which the request gave it. */
    registerIdentity: async (
      request: RequestIdentity,
      identity: NewIdentity,
      param: string,
    ): Promise<Written<IdentityRow>> => {
      const command = { ...request, ...identity, at: await now() }
      const answer = await memberIdentify.answer(pool, command)
      if (answer.outcome !== 'refused') {
        const row = readIdentityRow(answer.identity)
        return { row, replayed: answer.outcome !== 'registered' }
      }
      const refusal = refusalSentence(answer.refusal)
      const isTaken = refusal.code === 'account_already_exists'
      throw new Refused(isTaken ? { ...refusal, param } : refusal)
    },

    revokeIdentity: async (request: RequestIdentity, id: string): Promise<Written<IdentityRow>> => {
      const at = await now()
      return idempotent(pool, request, {
        noun: 'identity',
        id,
        write: async (tx) => {
          const revoked = await memberForget(tx, { workspace: request.workspace, id, at })
          return revoked === null ? undefined : readIdentityRow(revoked)
        },
        find: readIdentity,
      })
    },

    /** Made at first use, base64. */
    memberPepper: (workspace: string) =>
      memberPepperOf(pool, { workspace, fresh: randomBytes(PEPPER_BYTES).toString('base64') }),
  }
}
