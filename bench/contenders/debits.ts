import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { redemptionCommands } from '../../app/redemptions.ts'
import { workspaceCommands } from '../../app/workspaces.ts'
import { pointsPost } from '../../db/ledger.gen.ts'
import { createPool, type Pool } from '../../db/pool.ts'
import { seedWorkspace } from '../../dev/demo.ts'
import type { Contender, Turn } from '../contender.ts'
import { COST, LEDGER_SCHEMA, OPENING_BALANCE } from '../ledger.ts'
import { closedTasks } from '../load.ts'
import { memberId, openLedger } from './peer-ledger.ts'
import { prepareLedger } from './product.ts'

/** No load has more calls in flight, so each call has a connection of its own. */
const CONNECTIONS = 32

const WORKSPACE = 'ws_bench'
const LOTS = 3 // a member has earned more than once; a debit takes from the oldest
const SEED_CONNECTIONS = 8

/**
 * The ledger's functions that take points away, called as the product calls them. This is the one
 * place that names them.
 */
const DEBITS = {
  /** A movement with its lots, allocations and event. */
  points: async (pool: Pool, account: string) => {
    const operation = `bench:${randomUUID()}`
    const posted = await pointsPost(pool, movement(account, -COST, operation))
    if (posted.outcome !== 'posted') throw new Error(`points_post: ${JSON.stringify(posted)}`)
    return operation
  },
  /** All that a redemption writes: the movement, the redemption itself and its event. */
  redemption: async (pool: Pool, account: string) => {
    const redemption = `rdm_${randomUUID()}`
    const created = await redemptionCommands({ pool }).createRedemption({
      workspace: WORKSPACE,
      redemption,
      account,
      reward: 'rwd_fivecredit',
      quantity: 1,
      holdMinutes: 30,
      code: redemption,
      fingerprint: 'bench',
      shipping: null,
      metadata: {},
    })
    if (created.outcome !== 'created') throw new Error(`redemption_create: ${created.outcome}`)
    return redemption
  },
}

function movement(account: string, amount: number, operation: string) {
  return {
    workspace: WORKSPACE,
    account,
    type: 'adjust' as const,
    amount,
    reason: 'bench',
    operation,
    fingerprint: 'bench',
    at: new Date().toISOString(),
    expiresAt: null,
    batch: null,
    source: null,
    metadata: {},
    allowNegative: false,
  }
}

function ledgerDebit(name: string, title: string, debit: keyof typeof DEBITS): Contender {
  return {
    name,
    title,
    start: async (turn) => {
      const pool = createPool({ url: await prepareLedger(turn), max: CONNECTIONS })
      const books = new pg.Pool({ connectionString: turn.databaseUrl, max: 1 })
      books.on('error', () => {}) // its server stops before it does, at the end of a turn
      await enrol(pool, books, turn)
      const count = `SELECT count(*) AS n FROM ptx WHERE workspace = '${WORKSPACE}' AND amount = -${COST}`
      return {
        create: (member) => DEBITS[debit](pool, memberId(member)),
        audit: async () => ({ debits: Number((await books.query(count)).rows[0].n) }),
        stop: async () => {
          await pool.end()
          await books.end()
        },
      }
    },
  }
}

async function enrol(pool: Pool, books: pg.Pool, turn: Turn): Promise<void> {
  await workspaceCommands({ pool }).createWorkspace(WORKSPACE, 'Bench', false)
  await seedWorkspace(pool, WORKSPACE, 'Bench')
  await books.query(
    `INSERT INTO account (workspace, id, program)
     SELECT $1, 'loy_' || n, 'prog_default' FROM generate_series(0, $2 - 1) n`,
    [WORKSPACE, turn.members],
  )
  await closedTasks(SEED_CONNECTIONS, turn.members * LOTS, async (index) => {
    const account = memberId(index % turn.members)
    await pointsPost(pool, movement(account, OPENING_BALANCE, `opening:${index}`))
  })
  await books.query('ANALYZE')
}

const BARE_DEBIT = `
  CREATE FUNCTION bare_debit(p_redemption text, p_account text, p_points bigint) RETURNS jsonb
  LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE account SET balance = balance - p_points WHERE id = p_account AND balance >= p_points;
    IF NOT FOUND THEN
      RETURN '{"outcome": "refused"}';
    END IF;
    INSERT INTO movement (redemption, type, account, amount)
    VALUES (p_redemption, 'redeem', p_account, -p_points);
    RETURN '{"outcome": "created"}';
  END $$;
`

const bare: Contender = {
  name: 'bare',
  title: 'Guarded UPDATE and one INSERT, in a function, by a named prepared statement',
  start: async (turn) => {
    const pool = createPool({ url: turn.databaseUrl, max: CONNECTIONS })
    await pool.query(LEDGER_SCHEMA + BARE_DEBIT)
    const ledger = openLedger(turn.databaseUrl)
    await ledger.openAccounts(turn.members)
    return {
      create: async (member) => {
        const id = `rdm_${randomUUID()}`
        const { rows } = await pool.query<{ result: { outcome: string } }>({
          name: 'bare_debit',
          text: 'SELECT bare_debit($1, $2, $3) AS result',
          values: [id, memberId(member), COST],
        })
        const outcome = rows[0]?.result.outcome
        if (outcome !== 'created') throw new Error(`bare_debit: ${outcome}`)
        return id
      },
      audit: async () => ({ debits: await ledger.count('redeem') }),
      stop: async () => {
        await pool.end()
        await ledger.pool.end()
      },
    }
  },
}

export const DEBIT_CONTENDERS: Contender[] = [
  ledgerDebit('ours', 'points_post: a debit with lots, allocations and its event', 'points'),
  ledgerDebit('ours-redemption', 'redemption_create: all that a redemption writes', 'redemption'),
  bare,
]
