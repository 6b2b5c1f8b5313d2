import type { Pool } from 'pg'
import type { OutboxRow } from '../../db/outbox.ts'
import type { Engine } from '../../temporal/engine.ts'
import { sendRow } from '../../temporal/outbox-call.ts'
import type { TestDatabase } from './database.ts'

const AT_ONCE = 50

/** Sends what waits in the outbox, where the test's own statements wrote it or no process is there to send it. */
export async function sendOutbox({
  owner,
  engine,
}: Pick<TestDatabase, 'owner'> & { engine: Engine }): Promise<void> {
  const { rows } = await owner.query<{ row: OutboxRow }>(
    `with sent as (delete from workflow_outbox o returning ledger_private.outbox_row(o) as row) select row from sent`,
  )
  while (rows.length > 0) {
    await Promise.all(rows.splice(0, AT_ONCE).map(({ row }) => sendRow(engine, row)))
  }
}

/** Lets the application call what only the ledger's entry points call, in this database. */
export async function lend(owner: Pool, name: string): Promise<void> {
  await owner.query(`
    grant usage on schema ledger_private to engagement_app;
    alter function ledger_private.${name} security definer
      set search_path = ledger_private, ledger, public;
    grant execute on function ledger_private.${name} to engagement_app`)
}
