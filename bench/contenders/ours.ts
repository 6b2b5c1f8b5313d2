import { createHmac, randomUUID } from 'node:crypto'
import pg from 'pg'
import { newId } from '../../domain/ids.ts'
import type { Audit, Contender, Running, Turn } from '../contender.ts'
import { type HttpClient, openClient } from '../http.ts'
import { OPENING_BALANCE } from '../ledger.ts'
import { closedTasks } from '../load.ts'
import { type Product, startProduct } from './product.ts'

const REWARD = 'rwd_fivecredit'
const PAYMENT_MINOR = 2_000
const MEMBERS_AT_ONCE = 16

/** The product itself: its API and worker as processes of their own, on the embedded Temporal. */
export const ours: Contender = {
  name: 'ours',
  title: 'VINR: the real API, ledger and workflows',
  start: async (turn) => {
    const product = await startProduct(turn)
    const client = openClient(product.apiUrl)
    const books = new pg.Pool({ connectionString: turn.databaseUrl, max: 1 })
    books.on('error', () => {}) // its server stops before it does, at the end of a turn
    const stop = async () => {
      client.close()
      await books.end()
      await product.stop()
    }
    try {
      const members = await enrol(client, product.apiKey, turn)
      const workspace = await workspaceOf(books, members[0])
      return { ...running(client, product, members, { books, workspace }), stop }
    } catch (error) {
      await stop()
      throw error
    }
  },
}

function headers(apiKey: string): Record<string, string> {
  return { 'x-api-key': apiKey, 'idempotency-key': randomUUID() }
}

function running(
  client: HttpClient,
  product: Product,
  members: string[],
  ledger: Ledger,
): Omit<Running, 'stop'> {
  return {
    create: async (member) => {
      const body = { account: members[member], reward: REWARD }
      const path = '/v1/loyalty/redemptions'
      const created = (await client.post(path, body, headers(product.apiKey))) as { id: string }
      return created.id
    },
    pay: async (redemption) => {
      const body = JSON.stringify(completion(redemption))
      const signature = sign(body, product.paymentWebhookSecret)
      await client.post('/v1/webhooks/payments/sandbox', body, { 'x-vinr-signature': signature })
    },
    applied: (redemptions) => among(ledger, 'applied', redemptions),
    released: (redemptions) => among(ledger, 'released', redemptions),
    audit: () => audit(ledger, product),
  }
}

/** A payment that the product has not seen before, completed, with the redemption on it. */
function completion(redemption: string): object {
  const seconds = Math.floor(Date.now() / 1_000)
  return {
    id: newId('evt'),
    type: 'payment.completed',
    created: seconds,
    data: {
      id: newId('pay'),
      object: 'payment',
      amount: PAYMENT_MINOR,
      amount_charged: PAYMENT_MINOR - 500,
      currency: 'eur',
      status: 'completed',
      customer: null,
      redemptions: [redemption],
      refunds: [],
      metadata: {},
      created_at: new Date(seconds * 1_000).toISOString(),
    },
  }
}

function sign(body: string, secret: string): string {
  const seconds = Math.floor(Date.now() / 1_000)
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${digest}`
}

/** Opens the members' accounts through the API, each with one lot of points. */
async function enrol(client: HttpClient, apiKey: string, turn: Turn): Promise<string[]> {
  const members: string[] = []
  await closedTasks(MEMBERS_AT_ONCE, turn.members, async (member) => {
    const path = '/v1/loyalty/accounts'
    const opened = (await client.post(path, {}, headers(apiKey))) as { id: string }
    const points = { account: opened.id, amount: OPENING_BALANCE, reason: 'opening_balance' }
    await client.post('/v1/loyalty/transactions', points, headers(apiKey))
    members[member] = opened.id
  })
  return members
}

/** The bench's own look into the product's database, as superuser. */
interface Ledger {
  books: pg.Pool
  workspace: string
}

async function workspaceOf(books: pg.Pool, member: string | undefined): Promise<string> {
  const found = await books.query<{ workspace: string }>(
    'SELECT workspace FROM account WHERE id = $1',
    [member],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Error(`${member} is in no workspace`)
  return row.workspace
}

/** By the primary key, workspace first: this runs all the time and must not cost anything. */
async function among(ledger: Ledger, status: string, redemptions: string[]): Promise<string[]> {
  const found = await ledger.books.query<{ id: string }>({
    name: 'among',
    text: 'SELECT id FROM redemption WHERE workspace = $1 AND id = ANY($2) AND status = $3',
    values: [ledger.workspace, redemptions, status],
  })
  return found.rows.map((row) => row.id)
}

async function audit({ books, workspace }: Ledger, product: Product): Promise<Audit> {
  const counted = await books.query<{ debits: string; applied: string }>(
    `SELECT
      (SELECT count(*) FROM ptx WHERE workspace = $1 AND type = 'redeem') AS debits,
      (SELECT count(*) FROM redemption WHERE workspace = $1 AND status = 'applied') AS applied`,
    [workspace],
  )
  const row = counted.rows[0]
  return {
    debits: Number(row?.debits),
    applied: Number(row?.applied),
    armed: await product.openRedemptions(),
  }
}
