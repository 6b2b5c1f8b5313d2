import { z } from 'zod'
import { refuse } from '../../domain/refusal.ts'
import { write } from '../contention.ts'
import { rawEndpoint } from '../endpoint.ts'
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

export const receivePaymentEvent = rawEndpoint({
  method: 'POST',
  path: '/v1/webhooks/payments/{provider}',
  summary: 'Tell us about a payment',
  description:
    "`sandbox` is the platform's own form, signed by `x-vinr-signature: t=<unix>,v1=<hex hmac-sha256 of 't.body'>`; `stripe` takes Stripe's events as they are; `generic` any JSON, by the workspace's mapping. Answered once it is stored; a 5xx asks for another try.",
  tags: ['webhooks'],
  params: z.strictObject({ provider: z.string().max(40) }),
  body: SandboxEvent,
  reply: Received,
  errors: ['invalid_signature', 'parameter_invalid', 'invalid_json', 'resource_missing'],
  handle: async ({ params, body, header, log, deps }) => {
    const provider = PROVIDERS.get(params.provider)
    if (provider === undefined) {
      return refuse('resource_missing', `There is no provider ${params.provider}.`)
    }
    const secrets = await deps.paymentSecrets(params.provider)
    const signer = provider.verify({ header, body, secrets, nowMs: Date.now() })
    if (signer === undefined) {
      return refuse('invalid_signature', 'No secret of ours made this signature, or it is too old.')
    }
    const { id: event, ...told } = provider.read(body, signer)

    const { workspace, endpoint } = signer
    const from = { workspace, endpoint, provider: params.provider }
    const { outcome, conflict } = await write(() =>
      deps.activities.receivePayment({ ...told, ...from, event }),
    )
    if (conflict) log.warn({ ...from, event }, 'an event came again with other content')
    const object = { received: true as const, duplicate: outcome === 'duplicate' }
    return { status: 'ok', object: conflict ? { ...object, conflict } : object }
  },
})
