import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { GenericMapping } from '../api/webhooks/providers/generic-mapping.ts'
import { workspaceCommands } from '../app/workspaces.ts'
import { commandDatabase } from '../db/command-database.ts'
import { createPool } from '../db/pool.ts'

const USAGE = `Usage (the signing secret in PAYMENT_SECRET):
  npm run payment-provider -- [<workspace>] stripe|sandbox
  npm run payment-provider -- [<workspace>] generic --mapping <file.json>
  npm run payment-provider -- [<workspace>] --roll <endpoint> [--overlap-hours <hours>] [--mapping <file.json>]
The first two open an endpoint and print its address; --roll gives one its next secret, and takes the one
before for 24 hours more, or as many as are said.
The database: DATABASE_URL, the application role, else npm start's of this folder, whose demo shop
is meant where no workspace is named.`

const OVERLAP_HOURS = '24' // Stripe signs with both for at most as long

/**
 * `npm run payment-provider`: opens an endpoint for a provider, or rolls the secret of one. The secret that
 * the provider signs with comes from PAYMENT_SECRET, so that it stays out of the shell's history. The
 * generic provider needs its mapping as well.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      mapping: { type: 'string' },
      roll: { type: 'string' },
      'overlap-hours': { type: 'string', default: OVERLAP_HOURS },
    },
    allowPositionals: true,
  })
  const { roll: endpoint } = values
  const overlapHours = Number(values['overlap-hours'])
  const given = positionals.toReversed() // the workspace may be left out
  const provider = endpoint === undefined ? given.shift() : undefined
  const [named, ...more] = given
  const secret = process.env.PAYMENT_SECRET
  if (more.length > 0 || !secret || !(overlapHours >= 0)) throw new Error(USAGE)
  if (endpoint === undefined) {
    if (!['stripe', 'generic', 'sandbox'].includes(provider ?? '')) throw new Error(USAGE)
    if ((provider === 'generic') !== (values.mapping !== undefined)) throw new Error(USAGE)
  }
  const mapping =
    values.mapping === undefined
      ? null
      : GenericMapping.parse(JSON.parse(await readFile(values.mapping, 'utf8')))
  const database = commandDatabase('DATABASE_URL')
  const workspace = named ?? database.workspace
  if (workspace === undefined) throw new Error(USAGE)
  const pool = createPool({ url: database.url, max: 1, applicationName: 'vinr-payment-provider' })
  const { addPaymentSecret, rollPaymentSecret } = workspaceCommands({ pool })
  try {
    if (provider !== undefined) {
      const id = await addPaymentSecret(workspace, provider, secret, mapping)
      console.log(
        `${provider} may speak for ${workspace} within seconds: POST ${addressOf(provider, id)}`,
      )
    } else if (endpoint !== undefined) {
      const rolled = await rollPaymentSecret(workspace, endpoint, secret, overlapHours, mapping)
      const address = addressOf(rolled.provider, endpoint)
      console.log(
        `${endpoint} takes the new secret within seconds, the one before for ${overlapHours} hours: POST ${address}`,
      )
    }
  } finally {
    await pool.end()
  }
}

const addressOf = (provider: string, endpoint: string) =>
  `/v1/webhooks/payments/${provider}/${endpoint}`

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
