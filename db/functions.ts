import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

const FOLDER = new URL('./sql/', import.meta.url)

/** What the application calls; what only these functions call; what the release before calls. */
const SCHEMAS = ['ledger', 'ledger_private', 'public']

/** The comment of every function that is ours: what an operator has in one of these schemas has none, and stays. */
export const OURS = 'VINR ledger: made by migrate'

const LEDGER_ROLE = 'vinr_ledger'
const LONGEST_NAME = 63
const INSUFFICIENT_PRIVILEGE = '42501'

/** Where an entry point and all that it calls look; nobody who calls it can put anything before that. */
const SEARCH_PATH = 'ledger_private, ledger, public, pg_temp'

type SqlFile = { file: string; text: string; hash: string }

/**
 * Makes the functions of the database those of db/sql, where a file has changed since the last time. What is
 * ours and no longer declared as it stands is dropped. Entry points run as the ledger's role, those that say
 * `security definer` themselves as the owner, past row security. Wants a transaction. Returns how many files
 * had changed.
 */
export async function applyFunctions(client: pg.Client): Promise<number> {
  await client.query(`create table if not exists applied_function_file (
    file text primary key, hash text not null, applied_at timestamptz not null default now())`)
  await client.query(
    'create schema if not exists ledger; create schema if not exists ledger_private',
  )
  const files = await filesOfFolder()
  const changed = await changedSince(client, files)
  const unmarked = await schemasWithoutMark(client)
  if (changed > 0 || unmarked.length > 0) {
    // A function may call one that comes later: bodies are checked when they run.
    await client.query('set local check_function_bodies = off')
    const declared = await declare(client, files)
    await dropUndeclared(client, unmarked)
    for (const { text } of files) await client.query(text)
    await mark(client)
    await client.query(`drop schema ${declared.join(', ')} cascade`)
    await note(client, files)
  }
  await secureEntryPoints(client, files)
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
 * The functions of the files in schemas of their own, which the caller drops again: what is declared Postgres
 * itself says.
 */
async function declare(client: pg.Client, files: SqlFile[]): Promise<string[]> {
  const declared = SCHEMAS.map((schema) => `declared_${schema}`)
  for (const schema of declared) await client.query(`create schema ${schema}`)
  for (const { text } of files) {
    await client.query(text.replaceAll(/^create or replace function /gm, '$&declared_'))
  }
  return declared
}

/**
 * The schemas of a version before the mark, or of a dump restored without comments: there whatever the owner has
 * is ours. The version that had all of it in `public` named its files by numbers.
 */
async function schemasWithoutMark(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ schema: string }>(
    `select schema from unnest($1::text[]) schema
     where not exists (
         select from pg_proc p
         where p.pronamespace::regnamespace::text = any ($1) and obj_description(p.oid, 'pg_proc') = $2)
       and exists (
         select from applied_function_file where schema = 'public' or file !~ '^[0-9]')`,
    [SCHEMAS, OURS],
  )
  return rows.map(({ schema }) => schema)
}

/**
 * Drops every function of ours that is not declared as it stands: `create or replace` changes neither arguments
 * nor results. Triggers' functions belong to the migrations.
 */
async function dropUndeclared(client: pg.Client, unmarked: string[]): Promise<void> {
  const { rows } = await client.query<{ signature: string }>(
    `select p.oid::regprocedure::text as signature
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = any ($1) and p.prorettype <> 'trigger'::regtype
       and pg_has_role(p.proowner, 'usage')
       and (n.nspname = any ($2) or obj_description(p.oid, 'pg_proc') = $3)
       and not exists (
         select from pg_depend d
         where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
       and not exists (
         select from pg_proc x
         where x.pronamespace = to_regnamespace('declared_' || n.nspname) and x.proname = p.proname
           and (x.proargtypes, x.prorettype, x.proretset, x.pronargdefaults)
             = (p.proargtypes, p.prorettype, p.proretset, p.pronargdefaults)
           and (x.proallargtypes, x.proargmodes, x.proargnames)
             is not distinct from (p.proallargtypes, p.proargmodes, p.proargnames))`,
    [SCHEMAS, unmarked, OURS],
  )
  for (const { signature } of rows) await client.query(`drop function ${signature}`)
}

/** Marks what is declared as ours. */
async function mark(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ comments: string }>(
    `select string_agg(format('comment on function %s is %L', p.oid::regprocedure, $2::text), ';') as comments
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     join pg_proc x on x.pronamespace = to_regnamespace('declared_' || n.nspname)
       and (x.proname, x.proargtypes) = (p.proname, p.proargtypes)
     where n.nspname = any ($1) and obj_description(p.oid, 'pg_proc') is distinct from $2`,
    [SCHEMAS, OURS],
  )
  if (rows[0]?.comments) await client.query(rows[0].comments)
}

async function note(client: pg.Client, files: SqlFile[]): Promise<void> {
  await client.query('delete from applied_function_file')
  await client.query(
    'insert into applied_function_file (file, hash) select * from unnest($1::text[], $2::text[])',
    [files.map(({ file }) => file), files.map(({ hash }) => hash)],
  )
}

/**
 * Each entry point with its search path, and as whom it runs. Not the immutable ones: they read nothing, and are
 * inlined as they are. Done at every run, for what a dump restored without the role belongs to the owner.
 */
async function secureEntryPoints(client: pg.Client, files: SqlFile[]): Promise<void> {
  const role = await ledgerRole(client)
  await makeRole(client, role)
  const quoted = pg.escapeIdentifier(role)
  const { rows } = await client.query<{ signature: string; past: boolean; done: boolean }>(
    `select p.oid::regprocedure::text as signature, x.past,
       p.prosecdef and coalesce('search_path=' || $2 = any (p.proconfig), false)
         and x.past = (pg_get_userbyid(p.proowner) <> $3) as done
     from pg_proc p cross join lateral (select p.proname = any ($1) as past) x
     where p.pronamespace = 'ledger'::regnamespace and p.provolatile <> 'i'
       and obj_description(p.oid, 'pg_proc') = $4`,
    [pastRowSecurity(files), SEARCH_PATH, role, OURS],
  )
  await client.query(`grant create on schema ledger to ${quoted}`)
  for (const { signature, past, done } of rows) {
    if (done) continue
    await client.query(`
      alter function ${signature} security definer set search_path = ${SEARCH_PATH};
      alter function ${signature} owner to ${past ? 'current_user' : quoted}`)
  }
  await client.query(`revoke create on schema ledger from ${quoted}`)
}

/** The names of entry points that see across workspaces: in their files they say so. */
const pastRowSecurity = (files: SqlFile[]): string[] =>
  files.flatMap(({ text }) =>
    [...text.matchAll(/^create or replace function ledger\.(\w+)([^$]*)\$\$/gm)].flatMap(
      ([, name = '', head = '']) => (head.includes('security definer') ? [name] : []),
    ),
  )

/**
 * Who owns the entry points, which run as it: no table is its own, and no row security is past. A role is of the
 * server: where another installation there has one of the usual name, this one's is named after its database,
 * or each owner could do in the other's what that role may.
 */
export async function ledgerRole(client: pg.Client): Promise<string> {
  const { rowCount } = await client.query(
    `select from pg_roles where rolname = $1 and not pg_has_role(oid, 'usage')`,
    [LEDGER_ROLE],
  )
  if (!rowCount) return LEDGER_ROLE
  const { rows } = await client.query<{ name: string }>('select current_database() as name')
  return `${LEDGER_ROLE}_${rows[0]?.name}`.slice(0, LONGEST_NAME)
}

async function makeRole(client: pg.Client, role: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role])
  const { rows } = await client.query<{ member: boolean; name: string }>(
    `select coalesce((select pg_has_role(oid, 'usage') from pg_roles where rolname = $1), false) as member,
       quote_ident(current_user) as name`,
    [role],
  )
  const [owner] = rows
  if (owner === undefined || owner.member) return
  const quoted = pg.escapeIdentifier(role)
  const statements = `${rowCount ? '' : `create role ${quoted} nologin; `}grant ${quoted} to ${owner.name}`
  try {
    await client.query(statements)
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError) || cause.code !== INSUFFICIENT_PRIVILEGE) throw cause
    throw new Error(`this owner may not do so; as administrator: ${statements}`, { cause })
  }
}
