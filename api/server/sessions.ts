import { timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { refuse } from '../../domain/refusal.ts'
import { type Role, scopesOfRole } from '../../domain/roles.ts'
import { allows, type HeldScope, type Scope } from '../../domain/scopes.ts'
import { csrfTokenOf, DEVICE_MS, SESSION_MS, TOKEN_FORM } from '../../domain/sign-in.ts'

/** A session that goes on, and what its person is in the workspace that the request names. */
export type FoundSession = {
  readonly session: string
  readonly user: string
  readonly email: string
  readonly name: string | null
  readonly expiresAt: Date
  /** Undefined where they are no active member of it. */
  readonly member: { readonly role: Role; readonly livemode: boolean } | undefined
}

/** A person who calls; what they may do in the workspace is what their role may. */
export type SessionCaller = {
  readonly type: 'user'
  readonly id: string
  readonly name: string | null
  readonly email: string
  readonly session: string
  readonly expiresAt: Date
  readonly workspace: string
  readonly livemode: boolean
  readonly kind: 'secret'
  /** What their role may do there; nothing where they are no member. */
  readonly scopes: readonly HeldScope[]
}

// Behind https a prefix makes the browser keep it to this host and to https, whoever sets what elsewhere.
const NAMES = { session: 'vinr_session', device: 'vinr_device', oidc: 'vinr_oidc' } as const
type CookieName = keyof typeof NAMES
export const cookieName = (name: CookieName, isSecure: boolean): string =>
  isSecure ? `__Host-${NAMES[name]}` : NAMES[name]

/** The cookie of this name in a `Cookie` header; undefined where there is none, or more than one. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '').split(';').flatMap((part) => {
    const [key = '', ...value] = part.split('=')
    return key.trim() === name ? [value.join('=').trim()] : []
  })
  return values.length === 1 ? values[0] : undefined
}

/** A cookie that no script reads and that no other site's page sends along. An empty one ends it. */
export function setCookie(
  name: CookieName,
  value: string,
  { isSecure, maxAgeMs }: { isSecure: boolean; maxAgeMs: number },
): string {
  const age = Math.floor(maxAgeMs / 1_000)
  const secure = isSecure ? '; Secure' : ''
  return `${cookieName(name, isSecure)}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`
}

/** What a browser keeps of a sign-in: the session, and that it is known. */
export const sessionCookies = (
  { token, device }: { token: string; device: string },
  isSecure: boolean,
): string[] => [
  setCookie('session', token, { isSecure, maxAgeMs: SESSION_MS }),
  setCookie('device', device, { isSecure, maxAgeMs: DEVICE_MS }),
]

export const endedCookie = (isSecure: boolean): string =>
  setCookie('session', '', { isSecure, maxAgeMs: 0 })

/** The session's cookie that a request carries, whatever it holds; undefined where it has none. */
export const sessionCookieOf = (req: Request): string | undefined =>
  cookieOf(req.headers.cookie, cookieName('session', isSecureRequest(req)))

/** Whether the browser asked by https, as `trust proxy` sees it. */
export const isSecureRequest = (req: Request): boolean =>
  req.secure || req.app.get('secure cookies') === true

const WORKSPACE_FORM = /^ws_\w{1,60}$/

/** The workspace that a request with a session names; empty where it names none, or what can be none. */
export function workspaceOf(req: Request): string {
  const named = req.get('Vinr-Workspace') ?? ''
  return WORKSPACE_FORM.test(named) ? named : ''
}

function refuseWorkspace(req: Request): never {
  const param = 'Vinr-Workspace'
  const named = req.get(param)
  if (named !== undefined) return refuse('resource_missing', `No such workspace: ${named}.`)
  return refuse('parameter_missing', `${param}: name the workspace, ws_….`, { param })
}

type PersonRequest = {
  readonly req: Request
  readonly cookie: string
  readonly workspace: string
  readonly needs: { readonly key: string; readonly scope?: Scope }
}

/** The person, where they may do what the endpoint needs in the workspace. Refuses with every other answer. */
export function authorisePerson(
  found: FoundSession | undefined,
  { req, cookie, workspace, needs }: PersonRequest,
): SessionCaller {
  if (found === undefined || !TOKEN_FORM.test(cookie)) {
    return refuse('invalid_session', 'The session is unknown, has expired or was ended: sign in.')
  }
  refuseForeign(req, cookie)
  const caller = callerBy(found, workspace)
  const { scope } = needs
  if (scope === undefined) return caller
  if (found.member === undefined) return refuseWorkspace(req)
  const { role } = found.member
  if (allows(scopesOfRole(role), scope)) return caller
  return refuse('role_not_allowed', `The role ${role} lacks the scope ${scope}.`, {
    fields: { scope, role },
  })
}

/** The person as a caller; of no workspace where they are no member of it. */
export function callerBy(
  { user: id, member, ...person }: FoundSession,
  workspace: string,
): SessionCaller {
  return {
    type: 'user',
    id,
    ...person,
    workspace: member === undefined ? '' : workspace,
    livemode: member?.livemode ?? false,
    kind: 'secret',
    scopes: member === undefined ? [] : scopesOfRole(member.role),
  }
}

/**
 * Refuses a request that another site's page made the browser send. The cookie is same-site already; a write
 * must also carry a token that only a page of this origin can have read.
 */
function refuseForeign(req: Request, cookie: string): void {
  const site = req.get('Sec-Fetch-Site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    refuse('csrf_failed', 'A session is for pages of this origin alone.')
  }
  if (req.method === 'GET' || req.method === 'HEAD') return
  const sent = Buffer.from(req.get('Vinr-Csrf-Token') ?? '')
  const expected = Buffer.from(csrfTokenOf(cookie))
  if (sent.length === expected.length && timingSafeEqual(sent, expected)) return
  refuse('csrf_failed', 'A write with a session needs its csrf_token, as Vinr-Csrf-Token.')
}
