import { readdir } from 'node:fs/promises'
import type { ClientBase } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import type { Case, Tables, Value } from './rule.ts'

// A rule of the ledger is a function of its arguments alone. Each that is immutable has a table of cases
// in tables/, in the file of its noun; one that is only stable, so that it is inlined, may have one.

type Rule = {
  isImmutable: boolean
  call: string
  args: { type: string; isRecord: boolean }[]
  returns: string
}

const folder = new URL('./tables/', import.meta.url)
const files = (await readdir(folder)).sort()
const nouns = await Promise.all(
  files.map(async (file) => {
    const { tables } = (await import(new URL(file, folder).href)) as { tables: Tables }
    return { noun: file.replace('.ts', ''), tables }
  }),
)

let db: TestDatabase
let client: ClientBase & { release(): void }
let rules: Map<string, Rule>

beforeAll(async () => {
  db = await testDatabase()
  client = await db.owner.connect()
  rules = await functions()
})
afterAll(async () => {
  client.release()
  await db.drop()
})

/** Ours: neither Postgres's own nor an extension's. Those in `public` are other names, for the release before. */
async function functions(): Promise<Map<string, Rule>> {
  const { rows } = await client.query<{ name: string; schema: string } & Rule>(
    `select p.proname as name, n.nspname as schema, p.oid::regproc::text as call,
       p.provolatile = 'i' as "isImmutable",
       p.prorettype::regtype::text as returns,
       (select json_agg(json_build_object('type', t.oid::regtype::text, 'isRecord', t.typtype = 'c')
          order by position)
        from unnest(p.proargtypes) with ordinality argument (type, position)
        join pg_type t on t.oid = argument.type) as args
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where p.prokind = 'f' and n.nspname not in ('pg_catalog', 'information_schema', 'public')
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     order by p.provolatile = 'i'`,
  )
  const schemas = new Set(rows.map(({ schema }) => schema).concat('public'))
  await client.query(`set search_path = ${[...schemas].join(', ')}; set timezone = 'UTC'`)
  return new Map(rows.map(({ name, ...rule }) => [name, rule]))
}

/** What a rule answers, as JSON has it. */
async function answerOf({ call, args }: Rule, values: readonly Value[]): Promise<Value> {
  const parameters = args.map(({ type, isRecord }, index) =>
    isRecord ? `jsonb_populate_record(null::${type}, $${index + 1})` : `$${index + 1}::${type}`,
  )
  const { rows } = await client.query<{ answer: Value }>(
    `select to_jsonb(${call}(${parameters.join(', ')})) as answer`,
    values.map((value, index) => asParameter(value, args[index])),
  )
  return rows[0]?.answer ?? null
}

const asParameter = (value: Value, arg: Rule['args'][number] | undefined) =>
  value !== null && (arg?.isRecord || arg?.type === 'jsonb') ? JSON.stringify(value) : value

/** Instants are compared as such, whatever zone they are written in. */
const comparable = (value: Value, type: string) =>
  type === 'timestamp with time zone' && typeof value === 'string'
    ? new Date(value).toISOString()
    : value

const isRecord = (value: Value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

test('every immutable function has a table', () => {
  const named = nouns.flatMap(({ tables }) => Object.keys(tables))
  const immutable = [...rules].flatMap(([name, { isImmutable }]) => (isImmutable ? [name] : []))
  expect(immutable.length).toBeGreaterThan(40)
  expect(immutable.filter((name) => !named.includes(name))).toEqual([])
})

describe.each(nouns)('$noun', ({ tables }) => {
  describe.each(Object.entries(tables))('%s', (name, cases) => {
    test.each(cases.map((one) => [...one] as const))('%s', async (...[, args, answer]: Case) => {
      const rule = rules.get(name)
      if (rule === undefined) throw new Error(`the ledger has no function ${name}`)
      expect(args).toHaveLength(rule.args.length)
      const given = comparable(await answerOf(rule, args), rule.returns)
      const wanted = comparable(answer, rule.returns)
      if (rule.returns !== 'jsonb' && isRecord(wanted))
        expect(given).toMatchObject(wanted as object)
      else expect(given).toEqual(wanted)
    })
  })
})
