import type { Written } from '../../app/idempotent.ts'
import type { Reply } from './declaration.ts'

/** Answers 201 with what a request made; its repeat 200, with that as it is now. */
export async function created<Row, T>(
  { row, replayed }: Written<Row>,
  present: (row: Row) => T | Promise<T>,
): Promise<Reply<T>> {
  return { status: 'created', replayed, object: await present(row) }
}

/** Answers 200 with what a request changed; its repeat with that as it is now. */
export async function updated<Row, T>(
  { row, replayed }: Written<Row>,
  present: (row: Row) => T | Promise<T>,
): Promise<Reply<T>> {
  return { status: 'ok', replayed, object: await present(row) }
}
