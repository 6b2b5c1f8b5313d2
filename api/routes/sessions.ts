import { notFound } from '../../app/refusals.ts'
import type { SignInPlace, StartedSession } from '../../app/sessions.ts'
import { listSessions as list } from '../../db/sessions.ts'
import { csrfTokenOf } from '../../domain/sign-in.ts'
import { idPath } from '../schemas/ids.ts'
import { listOf, listReply } from '../schemas/lists.ts'
import {
  CurrentSession,
  OidcSignIn,
  PasswordChange,
  PersonUpdate,
  Session,
  SessionEnded,
  SessionsEnded,
  SignIn,
} from '../schemas/sessions.ts'
import type { OpenContext, PersonContext } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { personEndpoint } from '../server/person-endpoint.ts'
import { cookieName, cookieOf, endedCookie, sessionCookies, setCookie } from '../server/sessions.ts'

const path = '/v1/sessions'
const tags = ['sessions']

const LONGEST_AGENT = 300

type Where = Pick<OpenContext<unknown, unknown, Deps>, 'header' | 'address' | 'isSecure'>

export const placeOf = ({ header, address, isSecure }: Where): SignInPlace => ({
  address: address(),
  device: cookieOf(header('cookie'), cookieName('device', isSecure())) || undefined,
  userAgent: header('user-agent')?.slice(0, LONGEST_AGENT) ?? null,
})

const createSession = personEndpoint({
  method: 'POST',
  path,
  summary: 'Sign in',
  description:
    'By e-mail and password, by a one-time token (of an invitation, a reset or a first start), or by the code that an OpenID provider answered with. The session is a cookie that no script reads. Guesses wait: some seconds at first, never more than a minute.',
  tags,
  key: 'none',
  body: SignIn,
  reply: CurrentSession,
  successCodes: [201],
  errors: ['invalid_session', 'resource_missing', 'too_many_requests'],
  handle: async (ctx) => {
    const { body, deps } = ctx
    const place = placeOf(ctx)
    const started =
      'email' in body
        ? await deps.commands.signIn(body, place)
        : 'token' in body
          ? await deps.commands.redeemToken(body, place)
          : await deps.oidc.signIn(body, oidcCookieOf(ctx), place)
    const object = await currentSession(deps, started)
    const cookies = sessionCookies(started, ctx.isSecure())
    return { status: 'created', object, cookies }
  },
})

const startOidc = personEndpoint({
  method: 'POST',
  path: '/v1/sessions/oidc',
  summary: 'Begin a sign-in at the OpenID provider',
  description:
    'Where a provider is configured. The browser goes to `authorization_url`; what the provider answers with goes into `POST /v1/sessions`, from the same browser, within ten minutes.',
  tags,
  key: 'none',
  reply: OidcSignIn,
  errors: ['resource_missing'],
  handle: async ({ deps, isSecure }) => {
    const { url, state, maxAgeMs } = await deps.oidc.start()
    const cookies = [setCookie('oidc', state, { isSecure: isSecure(), maxAgeMs })]
    const object = { object: 'oidc_sign_in' as const, authorization_url: url }
    return { status: 'ok', object, cookies }
  },
})

const oidcCookieOf = ({ header, isSecure }: Where) =>
  cookieOf(header('cookie'), cookieName('oidc', isSecure()))

const retrieveCurrentSession = personEndpoint({
  method: 'GET',
  path: '/v1/sessions/current',
  summary: 'Retrieve the current session',
  description: 'Who asks, the workspaces that they are of, and the token for their writes.',
  tags,
  key: 'session',
  reply: CurrentSession,
  errors: [],
  handle: async (ctx) => ({ status: 'ok', object: await askers(ctx) }),
})

const updateCurrentSession = personEndpoint({
  method: 'PATCH',
  path: '/v1/sessions/current',
  summary: 'Change what one is called',
  tags,
  key: 'session',
  body: PersonUpdate,
  reply: CurrentSession,
  errors: [],
  handle: async (ctx) => {
    const { person, body, deps } = ctx
    await deps.commands.renameTeamMember(person.id, body.name)
    deps.accessChanged()
    return { status: 'ok', object: await askers({ ...ctx, person: { ...person, ...body } }) }
  },
})

const listSessions = personEndpoint({
  method: 'GET',
  path,
  summary: 'List one’s own sessions',
  description: 'Those that go on, the newest first.',
  tags,
  key: 'session',
  reply: listReply(Session),
  errors: [],
  handle: async ({ person, deps }) => {
    const rows = await list(deps.pool, person.id)
    const data = rows.map((row) => ({
      id: row.id,
      object: 'session' as const,
      user_agent: row.user_agent,
      current: row.id === person.session,
      last_seen_at: row.seen_at.toISOString(),
      expires_at: row.expires_at.toISOString(),
      created_at: row.created_at.toISOString(),
    }))
    return { status: 'ok', object: listOf(path, data, false) }
  },
})

const signOut = personEndpoint({
  method: 'DELETE',
  path: '/v1/sessions/current',
  summary: 'Sign out',
  tags,
  key: 'session',
  reply: SessionEnded,
  errors: [],
  handle: ({ person, deps, isSecure }) => end(person.session, { person, deps, isSecure }),
})

const deleteSession = personEndpoint({
  method: 'DELETE',
  path: '/v1/sessions/{id}',
  summary: 'Sign out elsewhere',
  description: 'Of a session of one’s own.',
  tags,
  key: 'session',
  params: idPath('ses'),
  reply: SessionEnded,
  errors: ['resource_missing'],
  handle: ({ person, params, deps, isSecure }) => end(params.id, { person, deps, isSecure }),
})

type Ending = Pick<PersonContext<unknown, unknown, Deps>, 'person' | 'deps' | 'isSecure'>

async function end(id: string, { person, deps, isSecure }: Ending) {
  const ended = await deps.commands.endSessions(person.id, id)
  deps.accessChanged()
  if (ended === 0) return notFound('session', id)
  const object = { id, object: 'session' as const, deleted: true as const }
  const cookies = id === person.session ? [endedCookie(isSecure())] : []
  return { status: 'ok' as const, object, cookies }
}

const signOutEverywhere = personEndpoint({
  method: 'POST',
  path: '/v1/sessions/sign_out_everywhere',
  summary: 'Sign out everywhere',
  description: 'Ends every session of the person, this one too.',
  tags,
  key: 'session',
  reply: SessionsEnded,
  errors: [],
  handle: async ({ person, deps, isSecure }) => {
    const count = await deps.commands.endSessions(person.id, null)
    deps.accessChanged()
    const object = { object: 'sessions_ended' as const, count }
    return { status: 'ok', object, cookies: [endedCookie(isSecure())] }
  },
})

const changePassword = personEndpoint({
  method: 'POST',
  path: '/v1/sessions/change_password',
  summary: 'Change one’s password',
  description: 'Ends every other session of the person.',
  tags,
  key: 'session',
  body: PasswordChange,
  reply: CurrentSession,
  errors: ['invalid_session', 'too_many_requests'],
  handle: async (ctx) => {
    const { person, body, deps } = ctx
    const change = { current: body.current_password, next: body.new_password }
    await deps.commands.changePassword(person, change, placeOf(ctx))
    deps.accessChanged()
    return { status: 'ok', object: await askers(ctx) }
  },
})

/** The session of a person that just began. */
async function currentSession(
  deps: Deps,
  { id: session, user, token, expiresAt, email, name }: StartedSession,
) {
  return present(deps, { session, user: { id: user, email, name }, token, expiresAt })
}

/** The session that asks. */
const askers = ({ person, header, isSecure, deps }: PersonContext<unknown, unknown, Deps>) => {
  const token = cookieOf(header('cookie'), cookieName('session', isSecure())) ?? ''
  const { id: user, email, name, session, expiresAt } = person
  return present(deps, { session, user: { id: user, email, name }, token, expiresAt })
}

type Shown = {
  session: string
  user: { id: string; email: string; name: string | null }
  token: string
  expiresAt: Date
}

async function present(deps: Deps, { session, user, token, expiresAt }: Shown) {
  return {
    id: session,
    object: 'session' as const,
    user,
    memberships: await deps.commands.membershipsOfUser(user.id),
    csrf_token: csrfTokenOf(token),
    expires_at: expiresAt.toISOString(),
  }
}

export const sessionRoutes = [
  createSession,
  startOidc,
  listSessions,
  retrieveCurrentSession,
  updateCurrentSession,
  signOut,
  deleteSession,
  signOutEverywhere,
  changePassword,
] as const
