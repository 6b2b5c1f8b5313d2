import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { checkOut, PREVIOUS_RELEASE, type Release } from './release.ts'

// The API and the worker of the release before call functions of the new schema, by position.

const CALLERS = ['activities', 'api', 'app', 'db', 'worker']

/** Named without being called: by its tests alone, by its `migrate`, as a column or index, as a refusal of the API. */
const NOT_CALLED = [
  'payment_receive',
  'ledger_recount',
  'limit_window',
  'payment_of_invoice',
  'refuse',
]

let before: Release
let database: TestDatabase

beforeAll(async () => {
  ;[before, database] = await Promise.all([checkOut(PREVIOUS_RELEASE), testDatabase()])
})
afterAll(async () => {
  await database.drop()
  await before.remove()
})

/** What its TypeScript says, all in one. */
async function sources(): Promise<string> {
  const folders = await readdir(before.folder)
  const files = await Promise.all(
    CALLERS.filter((folder) => folders.includes(folder)).map(async (folder) => {
      const names = await readdir(join(before.folder, folder), { recursive: true })
      return names
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFile(join(before.folder, folder, name), 'utf8'))
    }),
  )
  return (await Promise.all(files.flat())).join('\n')
}

/** Every function of its SQL, with the types of its arguments, as its files declare it last. */
async function signatures(): Promise<Map<string, string[]>> {
  const folder = join(before.folder, 'db', 'functions')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const declared = /^create or replace function (\w+)\s*\(([^)]*)\)/gm
  return new Map(
    [...texts.join('\n').matchAll(declared)].map(([, name = '', list = '']) => [
      name,
      list.split(',').flatMap(typeOf),
    ]),
  )
}

/** `p_at timestamptz default now()` is a timestamptz. */
const typeOf = (argument: string): string[] => {
  const [, type] = /^\s*(?!out\s)\w+\s+([\w[\]]+)/.exec(argument.replaceAll(/--.*$/gm, '')) ?? []
  return type === undefined ? [] : [type]
}

test('every function that the release before calls takes what it gives', async () => {
  const [text, all] = await Promise.all([sources(), signatures()])
  const isCalled = (name: string) => new RegExp(`['\`\\s]${name}['(]`).test(text)
  const called = [...all].filter(([name]) => isCalled(name) && !NOT_CALLED.includes(name))
  expect(called.length).toBeGreaterThan(60)
  const { rows } = await database.owner.query(
    `select f.name, f.types from jsonb_to_recordset($1::jsonb) f (name text, types text[])
     where not exists (
       select from pg_proc p
       where p.proname = f.name and p.pronamespace = 'public'::regnamespace
         and cardinality(f.types) between p.pronargs - p.pronargdefaults and p.pronargs
         and (select coalesce(array_agg(t::regtype), '{}') from unnest(f.types) t)
           = (string_to_array(p.proargtypes::text, ' ')::oid[]::regtype[])[1:cardinality(f.types)])`,
    [JSON.stringify(called.map(([name, types]) => ({ name, types })))],
  )
  expect(rows).toEqual([])
})
