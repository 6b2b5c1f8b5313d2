import { readFile } from 'node:fs/promises'
import { GenericMapping } from '../api/webhooks/providers/generic-mapping.ts'
import { workspaceCommands } from '../app/workspaces.ts'
import { commandDatabase } from '../db/command-database.ts'
import { withPool } from './database.ts'

/** `workspace` undefined: the demo shop of `npm start`. `mapping` is a file. */
type EndpointOptions = {
  workspace: string | undefined
  secret: string
  mapping: string | undefined
}

/** `vinr payment-provider <provider>`: opens an endpoint of a workspace and prints its address. */
export function openEndpoint(provider: string, options: EndpointOptions): Promise<void> {
  const { secret } = options
  return forWorkspace(options, async ({ addPaymentSecret }, workspace, mapping) => {
    const id = await addPaymentSecret(workspace, provider, secret, mapping)
    console.log(
      `${provider} may speak for ${workspace} within seconds: POST ${addressOf(provider, id)}`,
    )
  })
}

/** `vinr payment-provider --roll <endpoint>`: its next secret; the one before is taken for `overlapHours` more. */
export function rollSecret(
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
  const mapping =
    file === undefined ? null : GenericMapping.parse(JSON.parse(await readFile(file, 'utf8')))
  const database = commandDatabase('DATABASE_URL')
  const named = workspace ?? database.workspace
  if (named === undefined) throw new Error('With a DATABASE_URL the workspace must be named.')
  await withPool('payment-provider', database.url, (pool) =>
    task(workspaceCommands({ pool }), named, mapping),
  )
}

const addressOf = (provider: string, endpoint: string) =>
  `/v1/webhooks/payments/${provider}/${endpoint}`
