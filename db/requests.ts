import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm'
import { firstIdOf } from '../domain/ids.ts'
import type { Moment } from '../domain/moment.ts'
import { type Page, type PageRequest, readPage } from './page.ts'
import type { Pool } from './pool.ts'
import { request } from './schema/index.ts'
import { inWorkspace } from './workspace-client.ts'

export type RequestRow = typeof request.$inferSelect

/** A request as its process wrote it down, by the names of its columns. */
export type RequestRecord = {
  workspace: string
  id: string
  created_at: string
  method: string
  route: string
  resource: string | undefined
  status: number | undefined
  error_code: string | undefined
  error_param: string | undefined
  key: string | undefined
  has_idempotency_key: boolean
  replayed: boolean
  duration_ms: number
  body: unknown
}

const WRITE_MS = 10_000 // one statement of some milliseconds; a server that is silent for longer is away

/** Writes records, each as its JSON, of whatever workspaces, in one statement; those that are there already stay. */
export async function writeRequests(pool: Pool, records: readonly string[]): Promise<void> {
  const statement = {
    name: 'requests_write',
    text: `insert into request (workspace, id, created_at, method, route, resource, status, error_code,
        error_param, key, has_idempotency_key, replayed, duration_ms, body)
      select * from json_to_recordset($1::json) as r (workspace text, id text, created_at timestamptz,
        method text, route text, resource text, status int, error_code text, error_param text, key text,
        has_idempotency_key bool, replayed bool, duration_ms int, body jsonb)
      on conflict do nothing`,
    values: [`[${records.join(',')}]`],
    query_timeout: WRITE_MS,
  }
  await pool.query(statement)
}

/** Whether a write failed because there is no partition for a row's day. */
export const lacksPartition = (error: unknown): boolean =>
  error instanceof Error && /no partition of relation "request"/.test(error.message)

export const findRequest = (
  pool: Pool,
  workspace: string,
  id: string,
): Promise<RequestRow | undefined> =>
  inWorkspace(pool, workspace, async (db) => {
    const rows = await db
      .select()
      .from(request)
      .where(and(eq(request.workspace, workspace), eq(request.id, id)))
    return rows[0]
  })

export type RequestFilter = {
  method?: string | undefined
  route?: string | undefined
  status?: number | undefined
  errorCode?: string | undefined
  key?: string | undefined
  resource?: string | undefined
}

// A rare route or key is looked for among all requests of the window: of millions that may take a minute.
const READ_MS = 4_000

/** Newest first, by their ids. Postgres ends with 57014 what takes longer than 4 s. */
export const listRequests = (
  pool: Pool,
  workspace: string,
  { method, route, status, errorCode, key, resource }: RequestFilter,
  page: PageRequest,
): Promise<Page<RequestRow>> =>
  inWorkspace(pool, workspace, (db) =>
    db.transaction(async (tx) => {
      await tx.execute(sql.raw(`set local statement_timeout = ${READ_MS}`))
      const where = [
        eq(request.workspace, workspace),
        method && eq(request.method, method),
        route && eq(request.route, route),
        status === undefined ? undefined : eq(request.status, status),
        errorCode && eq(request.errorCode, errorCode),
        key && eq(request.key, key),
        resource && eq(request.resource, resource),
        ...daysOf(page),
      ]
      return readPage(tx, request, page, where, true)
    }),
  )

const DAY_MS = 86_400_000

/** So much of the window as ids say, for the database to leave out the partitions of other days. */
function daysOf({ created = {} }: PageRequest): (SQL | undefined)[] {
  const from = created.gt ?? created.gte
  const until = created.lt ?? created.lte
  return [
    from && gte(request.id, firstIdOf('req', msOf(from) - DAY_MS)),
    until && lt(request.id, firstIdOf('req', msOf(until) + 2 * DAY_MS)),
  ]
}

/** An instant, or a day's start in some zone, to a day. */
const msOf = (moment: Moment): number =>
  'day' in moment ? Date.parse(moment.day) : moment.getTime()
