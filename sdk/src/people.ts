import type { CallOptions } from './request.ts'
import { Resource, segment } from './resource.ts'
import type { BodyOf, QueryOf, ReplyOf } from './types.ts'

type MemberOf<M extends 'get' | 'patch'> = ReplyOf<'/v1/team_members/{id}', M>
type MembershipOf<M extends 'get' | 'patch' | 'delete'> = ReplyOf<'/v1/memberships/{id}', M>
type Current = ReplyOf<'/v1/sessions/current', 'get'>

/** The people of the workspace. A one-time token is in the answer that made it alone. */
export class TeamMembers extends Resource {
  /** Invites somebody. */
  create(body: BodyOf<'/v1/team_members', 'post'>, options?: CallOptions) {
    return this.post('/v1/team_members', body, options)
  }
  retrieve(id: string, options?: CallOptions): Promise<MemberOf<'get'>> {
    return this.get(`/v1/team_members/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/team_members/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<MemberOf<'patch'>> {
    return this.call('PATCH', `/v1/team_members/${segment(id)}`, body, options)
  }
  /** Once more, who has not accepted yet. */
  invite(
    id: string,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/team_members/{id}/invite', 'post'>> {
    return this.call('POST', `/v1/team_members/${segment(id)}/invite`, {}, options)
  }
  resetPassword(
    id: string,
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/team_members/{id}/reset_password', 'post'>> {
    return this.call('POST', `/v1/team_members/${segment(id)}/reset_password`, {}, options)
  }
  list(query?: QueryOf<'/v1/team_members'>, options?: CallOptions) {
    return this.listOf('/v1/team_members', query, options)
  }
}

/** What each of them may do. */
export class Memberships extends Resource {
  retrieve(id: string, options?: CallOptions): Promise<MembershipOf<'get'>> {
    return this.get(`/v1/memberships/${segment(id)}`, undefined, options)
  }
  update(
    id: string,
    body: BodyOf<'/v1/memberships/{id}', 'patch'>,
    options?: CallOptions,
  ): Promise<MembershipOf<'patch'>> {
    return this.call('PATCH', `/v1/memberships/${segment(id)}`, body, options)
  }
  /** Removes somebody from the workspace. */
  delete(id: string, options?: CallOptions): Promise<MembershipOf<'delete'>> {
    return this.call('DELETE', `/v1/memberships/${segment(id)}`, undefined, options)
  }
  list(query?: QueryOf<'/v1/memberships'>, options?: CallOptions) {
    return this.listOf('/v1/memberships', query, options)
  }
}

/** Signing in and out, from a page of the server's own origin: the session is a cookie, which no script reads. */
export class Sessions extends Resource {
  /** Signs in; the client carries the session's token from then on. */
  async create(body: BodyOf<'/v1/sessions', 'post'>, options?: CallOptions): Promise<Current> {
    return this.known(await this.post('/v1/sessions', body, options))
  }
  /** Where the browser goes to sign in at the OpenID provider. */
  startOidc(options?: CallOptions): Promise<ReplyOf<'/v1/sessions/oidc', 'post'>> {
    return this.call('POST', '/v1/sessions/oidc', {}, options)
  }
  /** Who is signed in; after a page was loaded anew, this is what the client asks first. */
  async current(options?: CallOptions): Promise<Current> {
    return this.known(await this.get<Current>('/v1/sessions/current', undefined, options))
  }
  update(body: BodyOf<'/v1/sessions/current', 'patch'>, options?: CallOptions): Promise<Current> {
    return this.call('PATCH', '/v1/sessions/current', body, options)
  }
  changePassword(
    body: BodyOf<'/v1/sessions/change_password', 'post'>,
    options?: CallOptions,
  ): Promise<Current> {
    return this.call('POST', '/v1/sessions/change_password', body, options)
  }
  /** Ends this session. */
  signOut(options?: CallOptions): Promise<ReplyOf<'/v1/sessions/current', 'delete'>> {
    return this.call('DELETE', '/v1/sessions/current', undefined, options)
  }
  /** Ends another session of one's own. */
  delete(id: string, options?: CallOptions): Promise<ReplyOf<'/v1/sessions/{id}', 'delete'>> {
    return this.call('DELETE', `/v1/sessions/${segment(id)}`, undefined, options)
  }
  signOutEverywhere(
    options?: CallOptions,
  ): Promise<ReplyOf<'/v1/sessions/sign_out_everywhere', 'post'>> {
    return this.call('POST', '/v1/sessions/sign_out_everywhere', {}, options)
  }
  list(options?: CallOptions) {
    return this.listOf('/v1/sessions', undefined, options)
  }

  private known(session: Current): Current {
    this.useCsrfToken(session.csrf_token)
    return session
  }
}
