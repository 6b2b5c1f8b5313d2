import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { GenericMapping } from '../api/webhooks/providers/generic-mapping.ts'
import type { workspaceCommands } from '../app/workspaces.ts'
import { commandDatabase } from '../db/command-database.ts'
import { ending, moreHelp } from './command.ts'
import { withPool } from './connections.ts'

const OVERLAP_HOURS = 24 // Stripe signs with both secrets for at most as long
const PROVIDERS = ['stripe', 'sandbox', 'generic']

type Options = { mapping?: string; roll?: string; overlapHours: number }
type SecretPlace = { workspace: string | undefined } & ({ provider: string } | { endpoint: string })

export function addPaymentProvider(program: Command): void {
  program
    .command('payment-provider')
    .summary("open an address for a payment provider's webhooks, or roll its secret")
    .description(
      "open an address at which a payment provider's webhooks speak for a workspace, or roll its secret",
    )
    .argument('[workspace]', 'ws_…; else the demo shop of npm start')
    .argument('[provider]', PROVIDERS.join(', '))
    .option('--mapping <file>', 'JSON: where the generic provider puts what')
    .option('--roll <endpoint>', 'instead of a provider: whs_…, which gets its next secret')
    .option(
      '--overlap-hours <hours>',
      'how long the secret before is taken',
      hoursOf,
      OVERLAP_HOURS,
    )
    .addHelpText(
      'after',
      moreHelp(
        [
          'PAYMENT_SECRET=… vinr payment-provider stripe',
          'PAYMENT_SECRET=… vinr payment-provider ws_… generic --mapping mapping.json',
          'PAYMENT_SECRET=… vinr payment-provider --roll whs_…',
        ],
        {
          PAYMENT_SECRET: "what the provider signs with (required); so it is in no shell's history",
          DATABASE_URL: 'the application role',
        },
      ),
    )
    .action(
      ending(1, async (first: string, second: string, options: Options, command: Command) => {
        const secret = process.env.PAYMENT_SECRET
        if (!secret) return command.error('error: PAYMENT_SECRET must be set')
        const wanted = wantedBy([first, second], options)
        if (typeof wanted === 'string') return command.error(`error: ${wanted}`)
        const { workspace } = wanted
        const of = { workspace, secret, mapping: options.mapping }
        if ('provider' in wanted) await openEndpoint(wanted.provider, of)
        else await rollSecret(wanted.endpoint, options.overlapHours, of)
      }),
    )
}

/** What the words ask for (the workspace may be left out), or what is wrong with them. */
function wantedBy(words: (string | undefined)[], { roll, mapping }: Options): SecretPlace | string {
  const given = words.filter((word) => word !== undefined)
  if (roll !== undefined) {
    const [workspace, provider] = given
    if (provider !== undefined) return '--roll takes no provider'
    return { workspace, endpoint: roll }
  }
  const provider = given.pop()
  if (provider === undefined || !PROVIDERS.includes(provider))
    return `the provider must be one of ${PROVIDERS.join(', ')}`
  if ((provider === 'generic') !== (mapping !== undefined))
    return 'the generic provider needs --mapping, and no other takes it'
  return { workspace: given[0], provider }
}

function hoursOf(text: string): number {
  const hours = Number(text)
  if (text.trim() === '' || !(hours >= 0))
    throw new InvalidArgumentError('It is no number of hours.')
  return hours
}

/** `workspace` undefined: the demo shop of `npm start`. `mapping` is a file. */
type EndpointOptions = {
  workspace: string | undefined
  secret: string
  mapping: string | undefined
}

/** Opens an endpoint of a workspace and prints its address. */
function openEndpoint(provider: string, options: EndpointOptions): Promise<void> {
  const { secret } = options
  return forWorkspace(options, async ({ addPaymentSecret }, workspace, mapping) => {
    const id = await addPaymentSecret(workspace, provider, secret, mapping)
    console.log(
      `${provider} may speak for ${workspace} within seconds: POST ${addressOf(provider, id)}`,
    )
  })
}

/** An endpoint's next secret; the one before is taken for `overlapHours` more. */
function rollSecret(
  endpoint: string,
  overlapHours: number,
  options: EndpointOptions,
): Promise<void> {
  const { secret } = options
  return forWorkspace(options, async ({ rollPaymentSecret }, workspace, mapping) => {
    const rolled = await rollPaymentSecret(workspace, endpoint, secret, overlapHours, mapping)
    const address = addressOf(rolled.provider, endpoint)
    console.log(
      `${endpoint} takes the new secret within seconds, the one before for ${overlapHours} hours: POST ${address}`,
    )
  })
}

async function forWorkspace(
  { workspace, mapping: file }: EndpointOptions,
  task: (
    commands: ReturnType<typeof workspaceCommands>,
    workspace: string,
    mapping: ReturnType<typeof GenericMapping.parse> | null,
  ) => Promise<void>,
): Promise<void> {
  const mapping = file === undefined ? null : await mappingIn(file)
  const database = commandDatabase('DATABASE_URL')
  const named = workspace ?? database.workspace
  if (named === undefined) throw new Error('With a DATABASE_URL the workspace must be named.')
  const { workspaceCommands } = await import('../app/workspaces.ts')
  await withPool('payment-provider', database.url, (pool) =>
    task(workspaceCommands({ pool }), named, mapping),
  )
}

async function mappingIn(file: string) {
  const { GenericMapping } = await import('../api/webhooks/providers/generic-mapping.ts')
  return GenericMapping.parse(JSON.parse(await readFile(file, 'utf8')))
}

const addressOf = (provider: string, endpoint: string) =>
  `/v1/webhooks/payments/${provider}/${endpoint}`
