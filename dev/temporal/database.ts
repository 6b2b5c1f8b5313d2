import { existsSync, renameSync, rmSync } from 'node:fs'
import sqlite from 'node-sqlite3-wasm'
import { startTemporal, type TemporalOptions } from './server.ts'

/**
 * The visibility table comes with 58 secondary indexes, and keeping them takes more than half of
 * what a workflow start costs. These stay as they are: what the UI sorts and counts by, and looks
 * up for every workflow.
 */
const KEPT = ['default_idx', 'by_workflow_id', 'by_workflow_type', 'by_status']

/**
 * Indexes on these columns stay for the rows that have a value, as do those on our own search
 * attributes: what the UI's pages on schedules, batches and child workflows filter by. A row without
 * the value costs little then, and an equality still finds its rows by the index.
 */
const KEPT_WHERE_SET = ['TemporalNamespaceDivision', 'TemporalScheduledById', 'parent_workflow_id']

/**
 * Creates the development server's database where it does not exist yet, with only the indexes that
 * somebody uses; any other filter still works and reads the whole table. The full-text tables and
 * their triggers are left alone. Only ever for the embedded stack's own file, and before a server
 * opens it: it is made aside and renamed, so that an interrupted one leaves nothing.
 */
export async function prepareDatabase(
  options: TemporalOptions & { dbFile: string },
): Promise<void> {
  if (existsSync(options.dbFile)) return
  options.onProgress?.('Creating the Temporal database')
  const unfinished = `${options.dbFile}.new`
  for (const suffix of ['', '-journal']) rmSync(unfinished + suffix, { force: true })
  const columns = [...KEPT_WHERE_SET]
  const server = await startTemporal({
    ...options,
    dbFile: unfinished,
    logFile: options.logFile ?? `${options.dbFile}.log`,
    pragmas: { journal_mode: 'DELETE' }, // everything in one file, which can then be renamed
    port: undefined,
    uiPort: false,
  })
  try {
    const { attributeColumns } = await import('./ready.ts') // loaded by now
    columns.push(...(await attributeColumns(server.address, options.namespace ?? 'default')))
  } finally {
    await server.stop()
  }
  trimIndexes(unfinished, columns)
  renameSync(unfinished, options.dbFile)
}

type Index = { name: string; sql: string; column: string }

function trimIndexes(file: string, keptWhereSet: string[]) {
  const database = new sqlite.Database(file, { fileMustExist: true })
  try {
    const statements = indexesOf(database).flatMap((index) => trimmed(index, keptWhereSet))
    database.exec(['BEGIN', ...statements, 'COMMIT'].join(';\n'))
  } finally {
    database.close()
  }
}

function indexesOf(database: sqlite.Database): Index[] {
  const rows = database.all(
    `SELECT name, sql FROM sqlite_master
     WHERE type = 'index' AND tbl_name = 'executions_visibility' AND sql IS NOT NULL`,
  )
  return rows.flatMap(({ name, sql }) =>
    typeof name === 'string' && typeof sql === 'string'
      ? [{ name, sql, column: /\(\s*namespace_id\s*,\s*(\w+)/.exec(sql)?.[1] ?? '' }]
      : [],
  )
}

function trimmed({ name, sql, column }: Index, keptWhereSet: string[]): string[] {
  if (KEPT.includes(name)) return []
  const dropped = `DROP INDEX "${name}"`
  return keptWhereSet.includes(column) ? [dropped, `${sql} WHERE ${column} IS NOT NULL`] : [dropped]
}
