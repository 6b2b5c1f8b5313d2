import {
  attemptsGiveBack,
  attemptsTake,
  membershipsOfUser,
  passwordHash,
  passwordSet,
  sessionStart,
  sessionsEnd,
  signInFind,
  teamMemberRename,
  tokenFind,
  tokenRedeem,
} from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import type { AttemptLimit } from '../db/results/team_member.ts'
import { newId } from '../domain/ids.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import {
  addressLimits,
  hashToken,
  newToken,
  SESSION_MS,
  signInLimits,
  TOKEN_FORM,
} from '../domain/sign-in.ts'
import type { Dependencies } from './dependencies.ts'
import { hashPassword, isPassword } from './passwords.ts'

/** Where a sign-in comes from. */
export type SignInPlace = {
  address: string
  /** The cookie of a browser that may have signed in before. */
  device: string | undefined
  userAgent: string | null
}

/** A session that began, with the cookies that it is known by. */
export type StartedSession = {
  email: string
  name: string | null

  id: string
  user: string
  token: string
  device: string
  expiresAt: Date
}

/** Those who sign in and out, and what they change of themselves. */
export function sessionCommands({ pool }: Pick<Dependencies, 'pool'>) {
  return {
    /** Refused: a wrong password and an unknown e-mail alike (invalid_session), too many of them (too_many_requests). */
    signIn: async (
      { email, password }: { email: string; password: string },
      place: SignInPlace,
    ): Promise<StartedSession> => {
      const known = await signInFind(pool, {
        email,
        device: place.device === undefined ? '' : hashToken(place.device),
      })
      const [person] = known
      const device = person?.knows_device === true ? place.device : undefined
      const limits = signInLimits(email, place.address, device)
      await takeAttempt(pool, limits)
      if (!(await isPassword(person?.password_hash, password)) || person === undefined) {
        return refuse('invalid_session', 'The e-mail or the password is wrong.')
      }
      await giveBack(pool, limits)
      return startSession(pool, person.user_id, place)
    },

    /**
     * Redeems a one-time token. A reset sets the password; an invitation sets that of a person who has none,
     * and asks for that of one who has: whoever holds the link alone is not them.
     */
    redeemToken: async (
      given: { token: string; password?: string | undefined; name?: string | undefined },
      place: SignInPlace,
    ): Promise<StartedSession> => {
      const limits = addressLimits(place.address)
      await takeAttempt(pool, limits)
      const at = new Date()
      const hash = hashToken(given.token)
      const found = TOKEN_FORM.test(given.token) ? await tokenFind(pool, { hash, at }) : []
      const [token] = found
      if (token === undefined) return refuseToken()
      const sets = token.kind === 'reset' || token.password_hash === null
      if (token.kind !== 'sign_in') {
        if (given.password === undefined) return refusePassword('is required', 'parameter_missing')
        if (!sets && !(await isPassword(token.password_hash, given.password))) {
          return refuse('invalid_session', 'The password is not that of this person.')
        }
      }
      const password =
        sets && given.password !== undefined ? await hashPassword(given.password) : null
      const user = await tokenRedeem(pool, {
        hash,
        passwordHash: password,
        name: given.name ?? null,
        at,
      })
      if (user === null) return refuseToken()
      await giveBack(pool, limits)
      return startSession(pool, user, place)
    },

    /** Ends this session of the person, all of them where none is named, or all but one. How many went on. */
    endSessions: (user: string, id: string | null, except: string | null = null) =>
      sessionsEnd(pool, { user, id, except, at: new Date() }),

    /** Ends every other session of the person. Refused (invalid_session): another password than theirs. */
    changePassword: async (
      user: { id: string; email: string; session: string },
      { current, next }: { current: string; next: string },
      place: SignInPlace,
    ): Promise<void> => {
      const limits = signInLimits(user.email, place.address, user.session)
      await takeAttempt(pool, limits)
      if (!(await isPassword(await passwordHash(pool, { user: user.id }), current))) {
        return refuse('invalid_session', 'The current password is wrong.')
      }
      await giveBack(pool, limits)
      const hash = await hashPassword(next)
      await passwordSet(pool, { user: user.id, hash, except: user.session, at: new Date() })
    },

    renameTeamMember: (user: string, name: string | null) => teamMemberRename(pool, { user, name }),

    membershipsOfUser: (user: string) => membershipsOfUser(pool, { user }),
  }
}

/** Begins a session of the person and knows the browser from now on. */
export async function startSession(
  pool: Pool,
  user: string,
  { device: before, userAgent }: SignInPlace,
): Promise<StartedSession> {
  const [id, token, device] = [newId('ses'), newToken(), before ?? newToken()]
  const at = new Date()
  const expiresAt = new Date(at.getTime() + SESSION_MS)
  const [person] = await sessionStart(pool, {
    id,
    user,
    hash: hashToken(token),
    device: hashToken(device),
    userAgent,
    at,
    expiresAt,
  })
  if (person === undefined) throw new Error('the person of a session is gone')
  return { id, user, ...person, token, device, expiresAt }
}

/** Counts one attempt; refused (too_many_requests) where it must wait, which is never for long. */
export async function takeAttempt(pool: Pool, limits: readonly AttemptLimit[]): Promise<void> {
  const waitMs = await attemptsTake(pool, { limits: [...limits], at: new Date() })
  if (waitMs === 0) return
  const seconds = Math.ceil(waitMs / 1_000)
  throw new Refused({
    code: 'too_many_requests',
    message: `Too many attempts failed. Try again in ${seconds} s.`,
    fields: { retry_after: seconds },
  })
}

/** One that succeeded is no guess. */
export const giveBack = (pool: Pool, limits: readonly AttemptLimit[]): Promise<void> =>
  attemptsGiveBack(pool, { keys: limits.map(({ key }) => key) })

const refuseToken = (): never =>
  refuse('invalid_session', 'The token is wrong, was used before, or is too old.')

const refusePassword = (what: string, code: 'parameter_missing'): never =>
  refuse(code, `password: ${what}.`, { param: 'password' })
