import * as client from 'openid-client'
import { z } from 'zod'
import { oidcSignIn } from '../db/ledger.gen.ts'
import type { Pool } from '../db/pool.ts'
import { Refused, refuse } from '../domain/refusal.ts'
import { addressLimits } from '../domain/sign-in.ts'
import {
  giveBack,
  type SignInPlace,
  type StartedSession,
  startSession,
  takeAttempt,
} from './sessions.ts'
import { Unavailable } from './unavailable.ts'

const SIGN_IN_MS = 600_000 // at the provider: with a password, a second factor and a lost phone

export type OidcSettings = {
  issuer: string
  clientId: string
  clientSecret: string
  /** The page that the provider sends people back to, as it is registered there. */
  redirectUrl: string
}

/** What a browser keeps while its person is at the provider: nobody else can finish what it began. */
const Pending = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  until: z.number(),
})

type Answer = { code: string; state: string; iss?: string | undefined }

export type Oidc = {
  /** Where the browser goes, and what it keeps. Refused (resource_missing) where no provider is configured. */
  start(): Promise<{ url: string; state: string; maxAgeMs: number }>
  signIn(answer: Answer, kept: string | undefined, place: SignInPlace): Promise<StartedSession>
}

/** Sign-in by an OpenID provider: the code flow with PKCE, state and nonce. */
export function oidc(pool: Pool, settings: OidcSettings | undefined): Oidc {
  let discovered: Promise<client.Configuration> | undefined

  /** Asked once; again after a failure. */
  const provider = ({ issuer, clientId, clientSecret }: OidcSettings) => {
    const url = new URL(issuer)
    const plain = url.protocol === 'http:' // as a test's, or on this machine
    discovered ??= client
      .discovery(url, clientId, clientSecret, undefined, {
        execute: plain ? [client.allowInsecureRequests] : [],
      })
      .catch((cause: unknown) => {
        discovered = undefined
        throw new Unavailable('The OpenID provider does not answer.', cause)
      })
    return discovered
  }

  return {
    start: async () => {
      if (settings === undefined) return refuseWithout()
      const config = await provider(settings)
      const [state, nonce, verifier] = [
        client.randomState(),
        client.randomNonce(),
        client.randomPKCECodeVerifier(),
      ]
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: settings.redirectUrl,
        scope: 'openid email profile',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      })
      const pending = { state, nonce, verifier, until: Date.now() + SIGN_IN_MS }
      const kept = Buffer.from(JSON.stringify(pending)).toString('base64url')
      return { url: url.href, state: kept, maxAgeMs: SIGN_IN_MS }
    },

    signIn: async ({ code, state, iss }, kept, place) => {
      if (settings === undefined) return refuseWithout()
      const limits = addressLimits(place.address)
      await takeAttempt(pool, limits)
      const pending = pendingOf(kept)
      if (pending === undefined || pending.state !== state || pending.until < Date.now()) {
        return refuse('invalid_session', 'This browser began no such sign-in, or too long ago.')
      }
      const config = await provider(settings)
      const back = new URL(settings.redirectUrl)
      for (const [name, value] of Object.entries({ code, state, iss })) {
        if (value !== undefined) back.searchParams.set(name, value)
      }
      const claims = await claimsOf(config, back, pending)
      const user = await oidcSignIn(pool, {
        issuer: config.serverMetadata().issuer,
        subject: claims.sub,
        email: claims.email_verified === true ? (claims.email?.toLowerCase() ?? null) : null,
        at: new Date(),
      })
      if (user === null) {
        return refuse('invalid_session', 'The provider knows you; nobody has invited you here.')
      }
      await giveBack(pool, limits)
      return startSession(pool, user, place)
    },
  }
}

const refuseWithout = (): never => refuse('resource_missing', 'No OpenID provider is configured.')

const Claims = z.object({
  sub: z.string(),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
})

async function claimsOf(
  config: client.Configuration,
  back: URL,
  { state, nonce, verifier }: z.output<typeof Pending>,
): Promise<z.output<typeof Claims>> {
  try {
    const tokens = await client.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (claims === undefined) throw new Error('no ID token')
    const given = Claims.parse(claims)
    if (given.email !== undefined) return given
    // some say who somebody is in the ID token, and the rest where it is asked for
    return Claims.parse(await client.fetchUserInfo(config, tokens.access_token, given.sub))
  } catch (cause) {
    if (isAway(cause)) throw new Unavailable('The OpenID provider does not answer.', cause)
    const message = 'The provider’s answer is not good: sign in there again.'
    throw Object.assign(new Refused({ code: 'invalid_session', message }), { cause })
  }
}

const isAway = (error: unknown): boolean =>
  error instanceof TypeError ||
  (error instanceof client.ClientError && error.code === 'OAUTH_TIMEOUT')

function pendingOf(kept: string | undefined): z.output<typeof Pending> | undefined {
  try {
    return Pending.parse(JSON.parse(Buffer.from(kept ?? '', 'base64url').toString()))
  } catch {
    return undefined // whatever else a browser may send
  }
}
