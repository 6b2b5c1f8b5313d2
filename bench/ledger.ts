/**
 * The ledger that a fair peer would write: a balance guarded by its own update, and one movement
 * row per change. Every peer and the bare debit use these statements, as named prepared ones.
 */
export const LEDGER_SCHEMA = `
  CREATE TABLE account (id text PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
  CREATE TABLE movement (
    redemption text NOT NULL,
    type text NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (redemption, type)
  );
`

/** The points that the bench's reward costs. */
export const COST = 500

/** What a member starts with: more than any run can spend, so that nothing is refused. */
export const OPENING_BALANCE = 1_000_000_000

/** $1 redemption, $2 account, $3 points. One statement, so one transaction and one round trip. */
export const DEBIT = {
  name: 'debit',
  text: `
    WITH debited AS (
      UPDATE account SET balance = balance - $3 WHERE id = $2 AND balance >= $3 RETURNING id
    )
    INSERT INTO movement (redemption, type, account, amount)
    SELECT $1, 'redeem', id, -$3::bigint FROM debited`,
}

/** $1 redemption. Gives the points back, once. */
export const RELEASE = {
  name: 'release',
  text: `
    WITH released AS (
      INSERT INTO movement (redemption, type, account, amount)
      SELECT redemption, 'release', account, -amount FROM movement
      WHERE redemption = $1 AND type = 'redeem'
      ON CONFLICT DO NOTHING
      RETURNING account, amount
    )
    UPDATE account SET balance = balance + amount FROM released WHERE account.id = released.account`,
}

/** $1 redemption. Records that a payment used it, once. */
export const APPLY = {
  name: 'apply',
  text: `
    INSERT INTO movement (redemption, type, account, amount)
    SELECT redemption, 'apply', account, 0 FROM movement
    WHERE redemption = $1 AND type = 'redeem'
    ON CONFLICT DO NOTHING`,
}

/** Connections of a peer's pool. More gain nothing on two cores; fewer make 32 requests queue. */
export const POOL_SIZE = 20
