import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'

let db: TestDatabase
const workspace = newId('ws')

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
afterAll(() => db.drop())

const ruleVersions = async (rule: string) =>
  (
    await db.owner.query<{ name: string; from: Date }>(
      `select data ->> 'name' as name, valid_from as from from rule_version
       where workspace = $1 and rule = $2 order by valid_from`,
      [workspace, rule],
    )
  ).rows

/** Runs the statements as the application does, in one transaction that is rolled back where `broken`. */
async function inTransaction(statements: string[], broken = false) {
  const client = await db.pool.connect()
  try {
    await client.query('begin')
    await client.query(`select set_config('vinr.workspace', $1, true)`, [workspace])
    for (const statement of statements) await client.query(statement)
    await client.query(broken ? 'rollback' : 'commit')
  } finally {
    client.release()
  }
}

const make = (id: string) => `insert into earning_rule (workspace, id, program, name, award)
  values ('${workspace}', '${id}', 'prog_default', 'first', '{"fixed": 1}')`
const rename = (id: string, name: string) =>
  `update earning_rule set name = '${name}' where workspace = '${workspace}' and id = '${id}'`

test('a rule has a version from its creation on, and one for each change, in the order of changes', async () => {
  await inTransaction([make('erl_a')])
  await inTransaction([rename('erl_a', 'second'), rename('erl_a', 'third')])
  const versions = await ruleVersions('erl_a')
  expect(versions.map(({ name }) => name)).toEqual(['first', 'second', 'third'])
  const { rows } = await db.owner.query(
    'select created_at as at from earning_rule where workspace = $1 and id = $2',
    [workspace, 'erl_a'],
  )
  expect(versions[0]?.from).toEqual(rows[0].at)
})

test('a change that changes nothing, or is rolled back, writes no version', async () => {
  await inTransaction([make('erl_b')])
  await inTransaction([rename('erl_b', 'first')])
  await inTransaction([rename('erl_b', 'never')], true)
  expect((await ruleVersions('erl_b')).map(({ name }) => name)).toEqual(['first'])
})

test('a statement past the application writes a version as well', async () => {
  await inTransaction([make('erl_c')])
  await db.owner.query(rename('erl_c', 'by hand'))
  await db.owner.query('update program set rounding = $2 where workspace = $1', [workspace, 'up'])
  expect((await ruleVersions('erl_c')).map(({ name }) => name)).toEqual(['first', 'by hand'])
  const { rows } = await db.owner.query(
    `select data ->> 'rounding' as rounding from program_version where workspace = $1 order by valid_from`,
    [workspace],
  )
  expect(rows.map(({ rounding }) => rounding)).toEqual(['down', 'up'])
})
