import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import type { OidcSettings } from '../../app/oidc.ts'

/** Who signs in at the provider, as it says it. */
export type OidcPerson = { sub: string; email?: string; email_verified?: boolean }

const REDIRECT_URL = 'http://127.0.0.1:9/signed-in'

/** An OpenID provider of the test's own, where whoever comes is the person that it was told. */
export async function openProvider() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings: OidcSettings = {
    issuer,
    clientId: 'vinr',
    clientSecret: 'a secret of the client',
    redirectUrl: REDIRECT_URL,
  }
  let person: OidcPerson = { sub: 'nobody' }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: settings.clientId,
        client_secret: settings.clientSecret,
        redirect_uris: [REDIRECT_URL],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ ...person, sub }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: settings.clientId,
        accountId: ctx.oidc.session?.accountId ?? '',
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
    cookies: { keys: ['a key of the test'] },
  })
  const handle = provider.callback()
  server.on('request', (req, res) => {
    if (req.url?.startsWith('/interaction/') !== true) return void handle(req, res)
    void provider.interactionFinished(req, res, { login: { accountId: person.sub } })
  })

  return {
    settings,
    /** Goes where the API sends the browser and comes back with what the provider answers. */
    answer: async (authorizationUrl: string, who: OidcPerson): Promise<Record<string, string>> => {
      person = who
      const cookies = new Map<string, string>()
      let next = authorizationUrl
      while (!next.startsWith(REDIRECT_URL)) {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
        const response = await fetch(next, { redirect: 'manual', headers: { cookie } })
        for (const set of response.headers.getSetCookie()) {
          const [name = '', value = ''] = set.split(';', 1)[0]?.split('=') ?? []
          cookies.set(name, value)
        }
        const location = response.headers.get('location')
        if (location === null) throw new Error(`${response.status}: ${await response.text()}`)
        next = new URL(location, issuer).href
      }
      return Object.fromEntries(new URL(next).searchParams)
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
