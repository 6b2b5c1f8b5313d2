import pg from 'pg'
import type { Audit, Contender, Outbox, Running, Turn } from '../contender.ts'
import { openClient } from '../http.ts'
import { OPENING_BALANCE } from '../ledger.ts'
import { closedTasks } from '../load.ts'
import { type Calls, callsTo } from './calls.ts'
import { HERE, type Product, startProduct, type Tree } from './product.ts'

const MEMBERS_AT_ONCE = 16

/** The product itself: its API and worker as processes of their own, on the embedded Temporal. */
export const ours = productOf('ours', 'VINR: the real API, ledger and workflows', HERE)

/** The product as it stands in a folder. */
export function productOf(name: string, title: string, tree: Tree): Contender {
  return { name, title, start: (turn) => start(turn, tree) }
}

async function start(turn: Turn, tree: Tree): Promise<Running> {
  const product = await startProduct(turn, tree)
  const client = openClient(product.apiUrl)
  const books = openBooks(turn.databaseUrl)
  const stop = async () => {
    client.close()
    await books.end()
    await product.stop()
  }
  try {
    const calls = callsTo(client, product)
    const members = await enrol(calls, turn)
    const ledger = { books, workspace: await workspaceOf(books, members[0]) }
    return {
      create: (member) => calls.redeem(members[member] ?? ''),
      pay: calls.reportPaid,
      applied: (redemptions) => among(ledger, 'applied', redemptions),
      released: (redemptions) => among(ledger, 'released', redemptions),
      audit: () => audit(ledger, product),
      outbox: () => readOutbox(books),
      runs: product.redemptionRuns,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The bench's own look into the product's database, as superuser. */
export function openBooks(databaseUrl: string): pg.Pool {
  const books = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  books.on('error', () => {}) // its server stops before it does, at the end of a turn
  return books
}

/** Rows that Temporal has not been told of, of every kind. */
export async function readOutbox(books: pg.Pool): Promise<Outbox> {
  const { rows } = await books.query<{ waiting: string; oldest_ms: string | null }>({
    name: 'outbox',
    text: `SELECT count(*) AS waiting,
        extract(epoch FROM clock_timestamp() - min(written_at)) * 1000 AS oldest_ms
      FROM workflow_outbox`,
  })
  return { waiting: Number(rows[0]?.waiting), oldestMs: Number(rows[0]?.oldest_ms ?? 0) }
}

/** Opens the members' accounts through the API, each with one lot of points. */
async function enrol(calls: Calls, turn: Turn): Promise<string[]> {
  const members: string[] = []
  await closedTasks(MEMBERS_AT_ONCE, turn.members, async (member) => {
    const account = await calls.openAccount()
    await calls.credit(account, OPENING_BALANCE)
    members[member] = account
  })
  return members
}

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
