import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'

/** A database as text: how its release made the schema, and every row. */
export type Dump = { schema: string[]; rows: string[] }

const JOURNAL = `create schema if not exists drizzle;
  create table if not exists drizzle.__drizzle_migrations
    (id serial primary key, hash text not null, created_at bigint);
  create table if not exists applied_function_file
    (file text primary key, hash text not null, applied_at timestamptz not null default now());`

const ROWS_A_STATEMENT = 200

/** Reads a database that the release in `folder` has brought up to date. */
export async function dump(url: string, folder: string): Promise<Dump> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return { schema: await schemaOf(folder), rows: await rowsOf(client) }
  } finally {
    await client.end()
  }
}

/** Writes it into an empty database: the schema as its owner, the rows as the administrator. */
export async function restore(
  { schema, rows }: Dump,
  { ownerUrl, adminUrl }: { ownerUrl: string; adminUrl: string },
): Promise<void> {
  await runAll(ownerUrl, ['set check_function_bodies = off', ...schema])
  // what the triggers guard was guarded when it was written
  await runAll(adminUrl, ['set session_replication_role = replica', ...rows])
}

async function runAll(url: string, statements: string[]) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

async function schemaOf(folder: string): Promise<string[]> {
  const migrations = await filesOf(join(folder, 'db', 'migrations'))
  const functions = await filesOf(join(folder, 'db', 'functions'))
  return [JOURNAL, ...migrations, ...functions]
}

async function filesOf(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).toSorted()
  return Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
}

async function rowsOf(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string; columns: string }>(
    `select c.oid::regclass::text as name,
       string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
     from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       and a.attgenerated = ''
     where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'drizzle'::regnamespace)
     group by c.oid order by 1`,
  )
  const statements = [`truncate ${tables.map(({ name }) => name).join(', ')}`]
  for (const { name, columns } of tables) {
    const { rows } = await client.query<{ value: string }>(
      `select quote_literal(t::text) as value from ${name} t`,
    )
    for (let first = 0; first < rows.length; first += ROWS_A_STATEMENT) {
      const values = rows.slice(first, first + ROWS_A_STATEMENT).map(({ value }) => value)
      statements.push(
        `insert into ${name} (${columns}) overriding system value
         select ${columns} from unnest(array[${values.join(',\n')}]::${name}[])`,
      )
    }
  }
  return [...statements, ...(await sequencesOf(client))]
}

async function sequencesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ statement: string }>(
    `select format('select setval(%L, %s)', format('%I.%I', schemaname, sequencename), last_value)
       as statement
     from pg_sequences where last_value is not null`,
  )
  return rows.map(({ statement }) => statement)
}
