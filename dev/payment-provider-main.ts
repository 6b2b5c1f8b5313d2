import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { workspaceActivities } from '../activities/workspace.ts'
import { GenericMapping } from '../api/webhooks/providers/generic-mapping.ts'
import { commandDatabase } from '../db/command-database.ts'
import { createPool } from '../db/pool.ts'

const USAGE = `Usage (the signing secret in PAYMENT_SECRET):
  npm run payment-provider -- [<workspace>] stripe|sandbox
  npm run payment-provider -- [<workspace>] generic --mapping <file.json>
The database: DATABASE_URL, the application role, else npm start's of this folder, whose demo shop
is meant where no workspace is named.`

/**
 * `npm run payment-provider -- [<workspace>] <provider>`: the secret that a provider signs this
 * workspace's webhooks with, from PAYMENT_SECRET, so that it stays out of the shell's history. The
 * generic provider needs its mapping as well.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { mapping: { type: 'string' } },
    allowPositionals: true,
  })
  const [provider, named, ...more] = positionals.toReversed() // the workspace may be left out
  const secret = process.env.PAYMENT_SECRET
  if (provider === undefined || more.length > 0 || !secret) throw new Error(USAGE)
  if (!['stripe', 'generic', 'sandbox'].includes(provider)) throw new Error(USAGE)
  if ((provider === 'generic') !== (values.mapping !== undefined)) throw new Error(USAGE)
  const mapping =
    values.mapping === undefined
      ? null
      : GenericMapping.parse(JSON.parse(await readFile(values.mapping, 'utf8')))
  const database = commandDatabase('DATABASE_URL')
  const workspace = named ?? database.workspace
  if (workspace === undefined) throw new Error(USAGE)
  const pool = createPool({ url: database.url, max: 1, applicationName: 'vinr-payment-provider' })
  try {
    await workspaceActivities({ pool }).addPaymentSecret(workspace, provider, secret, mapping)
    console.log(
      `${provider} may speak for ${workspace} within seconds: POST /v1/webhooks/payments/${provider}`,
    )
  } finally {
    await pool.end()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
