import pg from 'pg'
import { OPENING_BALANCE } from '../ledger.ts'

export const memberId = (member: number): string => `loy_${member}`

/** The bench's own look into a peer's database: fills it before the load and counts after it. */
export interface PeerLedger {
  pool: pg.Pool
  openAccounts(members: number): Promise<void>
  /** How many movements of a type there are. */
  count(type: 'redeem' | 'release' | 'apply'): Promise<number>
  /** Which of these have a movement of a type. */
  among(type: 'release' | 'apply', redemptions: string[]): Promise<string[]>
  /** The single number that a query of one row and column answers. */
  number(query: string): Promise<number>
}

export function openLedger(databaseUrl: string): PeerLedger {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
  pool.on('error', () => {}) // its server stops before it does, at the end of a turn

  async function number(query: string, values: unknown[] = []): Promise<number> {
    const result = await pool.query<{ n: string }>(query, values)
    return Number(result.rows[0]?.n)
  }

  return {
    pool,
    number,
    openAccounts: async (members) => {
      await pool.query(
        `INSERT INTO account (id, balance) SELECT 'loy_' || n, $2 FROM generate_series(0, $1 - 1) n`,
        [members, OPENING_BALANCE],
      )
      await pool.query('ANALYZE account')
    },
    count: (type) => number('SELECT count(*) AS n FROM movement WHERE type = $1', [type]),
    among: async (type, redemptions) => {
      const found = await pool.query<{ redemption: string }>({
        name: 'among',
        text: 'SELECT redemption FROM movement WHERE redemption = ANY($1) AND type = $2',
        values: [redemptions, type],
      })
      return found.rows.map((row) => row.redemption)
    },
  }
}
