import type { Creation } from '../../app/accounts.ts'
import { notFound } from '../../app/refusals.ts'
import type { Once } from '../../db/idempotency.ts'
import type { Reply } from './declaration.ts'

/** Answers 201 with the new row; a repeat with what its first request created, as it is now. */
export async function created<Row, T>(
  what: string,
  written: Creation<Row>,
  find: (id: string) => Promise<Row | undefined>,
  present: (row: Row) => T | Promise<T>,
): Promise<Reply<T>> {
  if ('row' in written) return { status: 'created', object: await present(written.row) }
  const row = await find(written.replayOf)
  if (row === undefined) return notFound(what, written.replayOf)
  return { status: 'ok', replayed: true, object: await present(row) }
}

/** Answers 200 with the row as a change left it; a repeat with the row as it is now. 404 where there is none. */
export async function updated<Row, T>(
  what: string,
  id: string,
  { value: row, replayed }: Once<Row | undefined>,
  present: (row: Row) => T | Promise<T>,
): Promise<Reply<T>> {
  if (row === undefined) return notFound(what, id)
  return { status: 'ok', replayed, object: await present(row) }
}
