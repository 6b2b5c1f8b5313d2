import { z } from 'zod'
import { actingAs } from '../../app/acting.ts'
import type { PaymentSecret } from '../../db/payment-secrets.ts'
import { refuse } from '../../domain/refusal.ts'
import { id } from '../schemas/ids.ts'
import type { RawContext } from '../server/declaration.ts'
import type { Deps } from '../server/deps.ts'
import { rawEndpoint } from '../server/endpoint.ts'
import { tooMany } from './inbound.ts'
import type { Provider } from './provider.ts'
import { generic } from './providers/generic.ts'
import { SandboxEvent, sandbox } from './providers/sandbox.ts'
import { stripe } from './providers/stripe.ts'

const PROVIDERS: ReadonlyMap<string, Provider> = new Map([
  ['sandbox', sandbox],
  ['stripe', stripe],
  ['generic', generic],
])

const Received = z
  .object({
    received: z.literal(true),
    duplicate: z.boolean(),
    conflict: z.literal(true).optional().meta({
      description:
        'The id came before with other content (type, created, data). It is kept for a person; nothing follows from it.',
    }),
  })
  .meta({ id: 'Received' })

const FORMS =
  "`sandbox` is the platform's own form, signed by `x-vinr-signature: t=<unix>,v1=<hex hmac-sha256 of 't.body'>`; `stripe` takes Stripe's events as they are; `generic` any JSON, by the endpoint's mapping. Answered once it is stored; a 5xx or 429 asks for another try."

const provider = z.string().max(40)
const common = {
  method: 'POST',
  tags: ['webhooks'],
  body: SandboxEvent,
  reply: Received,
  errors: ['invalid_signature', 'parameter_invalid', 'invalid_json', 'resource_missing'],
} as const

/** The address of one provider endpoint: only its own secrets are tried. */
export const receiveEndpointEvent = rawEndpoint({
  ...common,
  path: '/v1/webhooks/payments/{provider}/{id}',
  summary: 'Tell us about a payment',
  description: `The address of one provider endpoint. ${FORMS}`,
  params: z.strictObject({ provider, id: id('whs') }),
  handle: async (ctx) => {
    const { params, body, header, address, deps } = ctx
    const known = providerOf(params.provider)
    const secrets = await deps.inbound.endpointSecrets(params.provider, params.id)
    if (secrets.length === 0) {
      return refuse('resource_missing', `${params.provider} has no endpoint ${params.id}.`)
    }
    const signer = known.verify({ header, body, secrets, nowMs: Date.now() })
    if (signer === undefined) return deps.inbound.forgeries.refuse(params.provider, address())
    return takeIn(ctx, known, signer)
  },
})

/** The address that all endpoints of a provider shared: the secret that verifies says whose event it is. */
export const receivePaymentEvent = rawEndpoint({
  ...common,
  path: '/v1/webhooks/payments/{provider}',
  summary: 'Tell us about a payment, without an endpoint',
  description: `For the sandbox, and for signing secrets from before endpoints had addresses of their own. A body is limited to what can be tried against all of them. ${FORMS}`,
  params: z.strictObject({ provider }),
  handle: async (ctx) => {
    const { params, body, header, address, deps } = ctx
    const known = providerOf(params.provider)
    const { sharedSecrets, findSigner, forgeries } = deps.inbound
    const secrets = await sharedSecrets(params.provider)
    const signer = await findSigner({
      provider: known,
      given: { header, body, secrets, nowMs: Date.now() },
      mayStart: async () => ((await forgeries.areMany(address())) ? tooMany() : undefined),
    })
    if (signer === undefined) return forgeries.refuse(params.provider, address())
    return takeIn(ctx, known, signer)
  },
})

function providerOf(name: string): Provider {
  return PROVIDERS.get(name) ?? refuse('resource_missing', `There is no provider ${name}.`)
}

type Context = RawContext<{ provider: string }, Deps>

/** Keeps a verified event, and answers. */
async function takeIn(
  { params, body, log, deps }: Context,
  known: Provider,
  signer: PaymentSecret,
) {
  const { id: event, ...reported } = known.read(body, signer)
  const { workspace, endpoint } = signer
  const from = { workspace, endpoint, provider: params.provider }
  const actor = { type: 'provider', id: endpoint, name: params.provider } as const
  const { outcome, conflict } = await actingAs(actor, () =>
    deps.commands.receivePayment({ ...reported, ...from, event }),
  )
  const object = { received: true as const, duplicate: outcome === 'duplicate' }
  if (!conflict) return { status: 'ok' as const, object }
  log.warn({ ...from, event }, 'an event came again with other content')
  deps.inbound.countConflict(params.provider)
  return { status: 'ok' as const, object: { ...object, conflict } }
}
