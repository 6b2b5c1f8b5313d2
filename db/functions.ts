import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

const FOLDER = new URL('./sql/', import.meta.url)

/** What the application calls; what only these functions call; what the release before calls. */
const SCHEMAS = ['ledger', 'ledger_private', 'public']

const LEDGER_ROLE = 'vinr_ledger'
const LONGEST_NAME = 63

/** Where an entry point and all that it calls look; nobody who calls it can put anything before that. */
const SEARCH_PATH = 'ledger_private, ledger, public, pg_temp'

type SqlFile = { file: string; text: string; hash: string }

/**
 * Makes the functions of the database those of db/sql, where a file has changed since the last time. Whatever
 * else the owner role has of functions in `public` is dropped, and so is what has another signature or
 * result than before. Entry points run as the ledger's role, those that say `security definer` themselves as the
 * owner, past row security. Wants a transaction. Returns how many files had changed.
 */
export async function applyFunctions(client: pg.Client): Promise<number> {
  await client.query(`create table if not exists applied_function_file (
    file text primary key, hash text not null, applied_at timestamptz not null default now())`)
  await client.query(
    'create schema if not exists ledger; create schema if not exists ledger_private',
  )
  const files = await filesOfFolder()
  const changed = await changedSince(client, files)
  if (changed > 0) {
    // A function may call one that comes later: bodies are checked when they run.
    await client.query('set local check_function_bodies = off')
    await dropUndeclared(client, files)
    for (const { text } of files) await client.query(text)
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
 * Drops every function that is not declared as it stands: `create or replace` changes neither arguments nor
 * results. What is declared Postgres itself says, of the same files in schemas that are then dropped.
 * Triggers' functions belong to the migrations.
 */
async function dropUndeclared(client: pg.Client, files: SqlFile[]): Promise<void> {
  const declared = SCHEMAS.map((schema) => `declared_${schema}`)
  for (const schema of declared) await client.query(`create schema ${schema}`)
  for (const { text } of files) {
    await client.query(text.replaceAll(/^create or replace function /gm, '$&declared_'))
  }
  const { rows } = await client.query<{ signature: string }>(
    `select p.oid::regprocedure::text as signature
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = any ($1) and p.prorettype <> 'trigger'::regtype
       and (n.nspname <> 'public' or pg_get_userbyid(p.proowner) = current_user)
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
    [SCHEMAS],
  )
  for (const { signature } of rows) await client.query(`drop function ${signature}`)
  await client.query(`drop schema ${declared.join(', ')} cascade`)
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
     where p.pronamespace = 'ledger'::regnamespace and p.provolatile <> 'i'`,
    [pastRowSecurity(files), SEARCH_PATH, role],
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
    throw new Error(`this owner may not do so; as administrator: ${statements}`, { cause })
  }
}
