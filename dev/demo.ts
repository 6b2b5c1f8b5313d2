import { transactionCommands } from '../app/transactions.ts'
import { workspaceCommands } from '../app/workspaces.ts'
import { createPool, type Pool } from '../db/pool.ts'
import { account, earningRule, reward } from '../db/schema/index.ts'
import { transact } from '../db/workspace-client.ts'
import { DEFAULT_PROGRAM } from '../db/workspaces.ts'
import { newApiKey, newWebhookSecret } from '../domain/secrets.ts'

/** The keys of the demo's workspaces; kept by the caller, so that they stay across restarts. */
export type DemoKeys = {
  apiKey: string
  publishableKey: string
  otherWorkspaceApiKey: string
  paymentWebhookSecret: string
}

export type Demo = DemoKeys & {
  /** Where the sandbox's events go, by id. */
  paymentEndpoint: string
  program: string
  account: string
  rewards: { fiveOff: string; toteBag: string }
}

export const DEMO_WORKSPACE = 'ws_demo'
const OTHER = 'ws_other'

// The members of the documents, with points to spend; only the first has a customer.
const MEMBERS = [
  { id: 'loy_9f2k', customer: 'cust_abc123', points: 5_000 },
  { id: 'loy_8sd2k1', customer: null, points: 5_000 },
  { id: 'loy_abc123', customer: null, points: 5_000 },
]

const REWARDS = [
  {
    id: 'rwd_5eur_off',
    name: 'EUR 5 off',
    type: 'discount_amount',
    cost: 500,
    value: { amount: 500, currency: 'EUR' },
  },
  {
    id: 'rwd_fivecredit',
    name: 'EUR 5 off your order',
    type: 'discount_amount',
    cost: 500,
    value: { amount: 500, currency: 'EUR' },
  },
  {
    id: 'rwd_totebag',
    name: 'Tote bag',
    type: 'free_product',
    cost: 800,
    value: { product: 'Tote bag', quantity: 1 },
  },
] as const

export const newDemoKeys = (): DemoKeys => ({
  apiKey: newApiKey('secret', false),
  publishableKey: newApiKey('publishable', false),
  otherWorkspaceApiKey: newApiKey('secret', false),
  paymentWebhookSecret: newWebhookSecret(),
})

type SeedDemo = { databaseUrl: string; keys?: DemoKeys; onProgress?: (line: string) => void }

/** Puts the documents' program, members and rewards into the demo workspace. What exists stays as it is. */
export async function seedDemo(options: SeedDemo): Promise<Demo> {
  const { databaseUrl, keys = newDemoKeys(), onProgress = () => {} } = options
  const pool = createPool({ url: databaseUrl, max: 2, applicationName: 'vinr-demo' })
  try {
    const { paymentEndpoint } = await seedWorkspace(pool, DEMO_WORKSPACE, 'Demo shop', {
      secretKey: keys.apiKey,
      publishableKey: keys.publishableKey,
      paymentSecret: keys.paymentWebhookSecret,
    })
    await seedRule(pool, DEMO_WORKSPACE)
    await workspaceCommands({ pool }).createWorkspace(OTHER, 'Another shop', false, {
      secretKey: keys.otherWorkspaceApiKey,
    })
    onProgress(`demo data ready (${MEMBERS.length} members, ${REWARDS.length} rewards)`)
    return {
      ...keys,
      paymentEndpoint,
      program: DEFAULT_PROGRAM,
      account: 'loy_9f2k',
      rewards: { fiveOff: 'rwd_5eur_off', toteBag: 'rwd_totebag' },
    }
  } finally {
    await pool.end()
  }
}

/** The documents' rule: 1 point per EUR 1 of a completed payment. */
export function seedRule(pool: Pool, workspace: string): Promise<void> {
  return transact(pool, workspace, async (tx) => {
    const award = { per_amount: { points: 1, amount: 100, currency: 'eur' } }
    await tx
      .insert(earningRule)
      .values({
        workspace,
        id: 'erl_1_per_eur',
        program: DEFAULT_PROGRAM,
        name: '1 point per EUR 1',
        award,
      })
      .onConflictDoNothing()
  })
}

/** A workspace with the documents' members and rewards. */
export async function seedWorkspace(
  pool: Pool,
  id: string,
  name: string,
  given: { secretKey?: string; publishableKey?: string; paymentSecret?: string } = {},
) {
  const keys = await workspaceCommands({ pool }).createWorkspace(id, name, false, given)
  await transact(pool, id, async (tx) => {
    await tx
      .insert(reward)
      .values(REWARDS.map((row) => ({ ...row, workspace: id, program: DEFAULT_PROGRAM })))
      .onConflictDoNothing()
    for (const { id: member, customer } of MEMBERS) {
      await tx
        .insert(account)
        .values({ workspace: id, id: member, program: DEFAULT_PROGRAM, customer, metadata: {} })
        .onConflictDoNothing()
    }
  })
  const { postTransaction } = transactionCommands({ pool })
  for (const { id: member, points } of MEMBERS) {
    await postTransaction({
      workspace: id,
      account: member,
      type: 'adjust',
      amount: points,
      reason: 'demo_opening_balance',
      operation: `demo:${member}`,
      fingerprint: 'demo',
      at: new Date().toISOString(),
      expiresAt: null,
      batch: null,
      source: null,
      metadata: {},
      allowNegative: false,
    })
  }
  return keys
}
