import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedWorkspace } from '../../dev/demo.ts'
import { newId } from '../../domain/ids.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

let db: TestDatabase
const workspace = newId('ws')

beforeAll(async () => {
  db = await testDatabase()
  await seedWorkspace(db.pool, workspace, 'Test shop')
})
afterAll(() => db.drop())

test.for(['ptx', 'allocation', 'credit_transaction'])(
  '%s refuses UPDATE, DELETE and TRUNCATE even of its owner',
  async (table) => {
    for (const statement of [
      `update ${table} set amount = 1`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]) {
      await expect(db.owner.query(statement)).rejects.toThrow(/append-only/)
    }
  },
)

test.for(['rule_version', 'program_version'])(
  '%s refuses UPDATE, DELETE and TRUNCATE even of its owner, and the application may neither',
  async (table) => {
    const statements = [`update ${table} set data = '{}'`, `delete from ${table}`]
    for (const statement of [...statements, `truncate ${table}`]) {
      await expect(db.owner.query(statement)).rejects.toThrow(/append-only/)
      await expect(db.pool.query(statement)).rejects.toThrow(/permission denied/)
    }
  },
)

test.for(['ptx', 'allocation', 'event', 'credit_transaction'])(
  'the application role may not UPDATE or DELETE %s',
  async (table) => {
    for (const statement of [`update ${table} set workspace = 'x'`, `delete from ${table}`]) {
      await expect(db.pool.query(statement)).rejects.toThrow(/permission denied/)
    }
  },
)

test('a connection that has named no workspace sees no rows, and cannot write any', async () => {
  const { rows } = await db.pool.query('select count(*)::int as n from account')
  expect(rows[0].n).toBe(0)
  await expect(
    db.pool.query(
      `insert into account (workspace, id, program) values ($1, 'loy_x', 'prog_default')`,
      [workspace],
    ),
  ).rejects.toThrow(/row-level security/)
})
