import type { ClientBase, Pool } from 'pg'
import { isAccountId } from '../domain/ids.ts'
import { afterCommit, type CommitOutput } from './after-commit.ts'
import { sharesOf } from './pool.ts'
import { onceMoreWhenReplaced } from './when-replaced.ts'

/**
 * Calls a ledger function as a named prepared statement and returns its jsonb.
 * One round trip, one transaction; the function sets the row-security variable itself. What it wrote for
 * others goes to whoever listens on the pool (outbox.ts). On a pool it waits
 * for its share of the connections: that of the workspace, which is every function's first argument, and
 * of the account that the call names.
 */
export function call<T>(db: Pool | ClientBase, name: string, args: unknown[]): Promise<T> {
  return inItsShare(db, args, () => send<T>(db, name, args))
}

/** The same for a workflow's run: what it does to its own row it knows, so that the outbox does not signal it. */
export function callOfRun<T>(
  db: Pool | ClientBase,
  workflowId: string,
  name: string,
  args: unknown[],
): Promise<T> {
  return inItsShare(db, args, () => send<T>(db, name, args, workflowId))
}

function inItsShare<T>(db: Pool | ClientBase, args: unknown[], run: () => Promise<T>): Promise<T> {
  const [workspace] = args
  const shares = sharesOf(db)
  if (shares === undefined || typeof workspace !== 'string') return run()
  return shares.use(workspace, args.find(isAccountId), () => onceMoreWhenReplaced(run))
}

async function send<T>(
  db: Pool | ClientBase,
  name: string,
  args: unknown[],
  workflowId?: string,
): Promise<T> {
  const placeholders = args.map((_, index) => `$${index + 1}`).join(', ')
  const text = `select ledger.${name}(${placeholders}) as result, ledger.outbox_written() as written`
  const statement =
    workflowId === undefined
      ? { name, text, values: args }
      : {
          name: `${name} of a run`,
          text: `${text} from set_config('vinr.run', $${args.length + 1}, true)`,
          values: [...args, workflowId],
        }
  const { rows } = await db.query<{ result: T; written: CommitOutput | null }>(statement)
  const row = rows[0]
  if (!row) throw new Error(`${name} returned no row`)
  afterCommit(db, args[0], row.written)
  return row.result
}
