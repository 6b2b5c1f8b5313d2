import {
  type ApiKeyRow,
  insertApiKey,
  lockApiKey,
  type NewApiKey,
  revokeApiKey,
  rollApiKey,
  updateApiKey,
} from '../db/api-keys.ts'
import type { RequestIdentity } from '../db/idempotency.ts'
import { type Asker, makerOf } from '../domain/actor.ts'
import { refuse } from '../domain/refusal.ts'
import type { HeldScope } from '../domain/scopes.ts'
import { type KeyKind, keyParts, newApiKey } from '../domain/secrets.ts'
import { refuseBeyond } from './asker.ts'
import type { Dependencies } from './dependencies.ts'
import { changeOnce, idempotent, type Written } from './idempotent.ts'

type ApiKeyValues = Pick<NewApiKey, 'workspace' | 'id' | 'name' | 'expiresAt'> & {
  kind: KeyKind
  scopes: HeldScope[]
}

/** With its secret, where this request made it: nobody can read it again. */
type Shown = Written<ApiKeyRow & { secret: string | null }>

const noun = 'API key'

/**
 * The writers of API keys. Whoever asks gives only what they have themselves: their scopes are read again in
 * the transaction and held, so that a change of them comes before the key or after it.
 */
export function apiKeyCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Refused (key_not_allowed, role_not_allowed): scopes beyond the asker's. */
    createApiKey: async (
      request: RequestIdentity,
      actor: Asker,
      livemode: boolean,
      values: ApiKeyValues,
    ): Promise<Shown> => {
      const secret = newApiKey(values.kind, livemode)
      const written = await idempotent(pool, request, {
        noun,
        id: values.id,
        write: async (tx) => {
          await refuseBeyond(tx, request.workspace, actor, values.scopes)
          const createdBy = makerOf(actor)
          return insertApiKey(tx, { ...values, ...keyParts(secret), createdBy })
        },
        find: lockApiKey,
      })
      return shown(written, secret)
    },

    /** Refused (key_not_allowed, role_not_allowed): scopes, before or after, beyond the asker's. */
    updateApiKey: (
      request: RequestIdentity,
      actor: Asker,
      id: string,
      change: { name?: string | null | undefined; scopes?: HeldScope[] | undefined },
    ): Promise<Written<ApiKeyRow>> =>
      changeOnce(pool, request, {
        noun,
        id,
        lock: lockApiKey,
        change: async (tx, before) => {
          refuseEnded(before)
          if (change.scopes !== undefined && before.kind === 'publishable') {
            refuse('parameter_invalid', 'scopes: a publishable key has none.', { param: 'scopes' })
          }
          const asked = [...givenBy(before), ...(change.scopes ?? [])]
          await refuseBeyond(tx, request.workspace, actor, asked)
          return updateApiKey(tx, before, change)
        },
      }),

    /** Refused (key_not_allowed, role_not_allowed): a key with scopes beyond the asker's. */
    rollApiKey: async (
      request: RequestIdentity,
      actor: Asker,
      livemode: boolean,
      id: string,
      overlapHours: number,
    ): Promise<Shown> => {
      let secret = ''
      const written = await changeOnce(pool, request, {
        noun,
        id,
        lock: lockApiKey,
        change: async (tx, before) => {
          refuseEnded(before)
          await refuseBeyond(tx, request.workspace, actor, givenBy(before))
          secret = newApiKey(before.kind, livemode)
          return rollApiKey(tx, before, keyParts(secret), overlapHours)
        },
      })
      return shown(written, secret)
    },

    /** One that was revoked before stays as it is. */
    revokeApiKey: (request: RequestIdentity, id: string): Promise<Written<ApiKeyRow>> =>
      changeOnce(pool, request, {
        noun,
        id,
        lock: lockApiKey,
        change: (tx) => revokeApiKey(tx, request.workspace, id),
      }),
  }
}

/** A repeat has no secret: what its first request made is kept as a hash. */
const shown = ({ row, replayed }: Written<ApiKeyRow>, secret: string): Shown => ({
  row: { ...row, secret: replayed ? null : secret },
  replayed,
})

const givenBy = ({ kind, scopes }: ApiKeyRow) => (kind === 'publishable' ? [] : scopes)

function refuseEnded({ revokedAt }: ApiKeyRow): void {
  if (revokedAt === null) return
  refuse('parameter_invalid', 'id: this key was revoked.', { param: 'id' })
}
