import { Pool } from 'pg'
import { POOL_SIZE } from '../ledger.ts'
import { required } from './environment.ts'

/** What a payment's event says, as far as a peer looks. */
export interface PaidEvent {
  id: string
  data: { id: string; amount: number; customer: string }
}

export const pool = new Pool({ connectionString: required('DATABASE_URL'), max: POOL_SIZE })

const SCHEMA = `
  CREATE TABLE inbox (
    id text PRIMARY KEY,
    payload jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE account (customer text PRIMARY KEY, balance bigint NOT NULL);
  CREATE TABLE movement (
    payment text PRIMARY KEY,
    customer text NOT NULL,
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
`

export async function createTables(): Promise<void> {
  await pool.query(SCHEMA)
}

/** Keeps the event, once. */
export async function keep(event: PaidEvent): Promise<void> {
  await pool.query({
    name: 'keep',
    text: 'INSERT INTO inbox (id, payload) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    values: [event.id, event],
  })
}

/** A point for each whole unit of money, once for a payment. One statement, so one transaction. */
export async function earn({ data }: PaidEvent): Promise<void> {
  await pool.query({
    name: 'earn',
    text: `
      WITH earned AS (
        INSERT INTO movement (payment, customer, amount) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING customer, amount
      )
      INSERT INTO account (customer, balance) SELECT customer, amount FROM earned
      ON CONFLICT (customer) DO UPDATE SET balance = account.balance + excluded.balance`,
    values: [data.id, data.customer, Math.floor(data.amount / 100)],
  })
}
