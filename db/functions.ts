import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type pg from 'pg'

const FOLDER = new URL('./sql/', import.meta.url)

type SqlFile = { file: string; text: string; hash: string }

/**
 * Makes the functions of the database those of db/sql, in one transaction, where a file has changed
 * since the last time. Whatever else the owner role has of functions in `public` is dropped, and so is what has
 * another signature or result than before. Returns how many files had changed.
 */
export async function applyFunctions(client: pg.Client): Promise<number> {
  await client.query(`create table if not exists applied_function_file (
    file text primary key, hash text not null, applied_at timestamptz not null default now())`)
  const files = await filesOfFolder()
  const changed = await changedSince(client, files)
  if (changed === 0) return 0
  await client.query('begin')
  // A function may call one that comes later: bodies are checked when they run.
  await client.query('set local check_function_bodies = off')
  await dropUndeclared(client, files)
  for (const { text } of files) await client.query(text)
  await note(client, files)
  await client.query('commit')
  return changed
}

async function filesOfFolder(): Promise<SqlFile[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).toSorted()
  return Promise.all(
    names.map(async (file) => {
      const text = await readFile(new URL(file, FOLDER), 'utf8')
      return { file, text, hash: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** How many files are new, different or gone. */
async function changedSince(client: pg.Client, files: SqlFile[]): Promise<number> {
  const { rows } = await client.query<{ file: string; hash: string }>(
    'select file, hash from applied_function_file',
  )
  const before = new Map(rows.map((row) => [row.file, row.hash]))
  const gone = rows.filter((row) => !files.some(({ file }) => file === row.file))
  return files.filter(({ file, hash }) => before.get(file) !== hash).length + gone.length
}

/**
 * Drops every function that is not declared as it stands: `create or replace` changes neither arguments nor
 * results. What is declared Postgres itself says, of the same files in a schema that is then dropped.
 * Triggers' functions belong to the migrations.
 */
async function dropUndeclared(client: pg.Client, files: SqlFile[]): Promise<void> {
  await client.query('create schema declared')
  await client.query('set local search_path = declared, public')
  for (const { text } of files) await client.query(text)
  await client.query('set local search_path = public')
  const { rows } = await client.query<{ signature: string }>(
    `select p.oid::regprocedure::text as signature from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
       and p.proowner = (select oid from pg_roles where rolname = current_user)
       and not exists (
         select from pg_depend d
         where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
       and not exists (
         select from pg_proc x
         where x.pronamespace = 'declared'::regnamespace and x.proname = p.proname
           and (x.proargtypes, x.prorettype, x.proretset, x.pronargdefaults)
             = (p.proargtypes, p.prorettype, p.proretset, p.pronargdefaults)
           and (x.proallargtypes, x.proargmodes, x.proargnames)
             is not distinct from (p.proallargtypes, p.proargmodes, p.proargnames))`,
  )
  for (const { signature } of rows) await client.query(`drop function ${signature}`)
  await client.query('drop schema declared cascade')
}

async function note(client: pg.Client, files: SqlFile[]): Promise<void> {
  await client.query('delete from applied_function_file')
  await client.query(
    'insert into applied_function_file (file, hash) select * from unnest($1::text[], $2::text[])',
    [files.map(({ file }) => file), files.map(({ hash }) => hash)],
  )
}
