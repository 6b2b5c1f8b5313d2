import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COLUMN_KINDS, columnsOf, PERSONAL_COLUMNS } from '../../db/personal-columns.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

/** Columns that can hold what somebody wrote; partitions of a table are that table. */
async function columnsWithText(): Promise<string[]> {
  const { rows } = await db.owner.query<{ name: string }>(`
    select table_name || '.' || column_name as name
    from information_schema.columns
    where table_schema = 'public' and (data_type in ('text', 'jsonb', 'json', 'xml', 'bytea', 'character varying', 'character')
      or data_type = 'ARRAY' and udt_name in ('_text', '_varchar', '_jsonb'))`)
  return rows.map(({ name }) => name).toSorted()
}

const placed = () =>
  Object.keys(PERSONAL_COLUMNS).flatMap((table) =>
    COLUMN_KINDS.flatMap((kind) => columnsOf(table, kind).map((column) => `${table}.${column}`)),
  )

describe('the list of personal columns', () => {
  it('has each column of text and jsonb of the database, once, and no other', async () => {
    expect(placed().toSorted()).toEqual(await columnsWithText())
  })

  it('names as removed what an erasure removes, and nothing else', async () => {
    const { rows } = await db.owner.query<{ relation: string; erased: string }>(
      'select relation, erased from ledger_private.erasure_stores()',
    )
    const removed = rows.flatMap(({ relation, erased }) =>
      [...erased.matchAll(/(?:^|,\s+)(\w+) = /g)].map(([, column]) => `${relation}.${column}`),
    )
    const said = Object.keys(PERSONAL_COLUMNS).flatMap((table) =>
      columnsOf(table, 'removed').map((column) => `${table}.${column}`),
    )
    // an order number is made of the metadata and goes with it
    const others = ['erasure.customers', 'payment.order_number']
    expect(said.filter((column) => !removed.includes(column))).toEqual(others)
    // a hash, who read a token last, and the times of both
    expect(removed.filter((column) => !said.includes(column)).toSorted()).toEqual([
      'member_identity.last_by',
      'member_identity.revoked_at',
      'member_identity.value',
      'payment.erased_at',
    ])
  })

  it('lacks a column that is new', async () => {
    await db.owner.query('alter table account add column nickname text')
    try {
      expect(await columnsWithText()).toContain('account.nickname')
      expect(placed()).not.toContain('account.nickname')
    } finally {
      await db.owner.query('alter table account drop column nickname')
    }
  })

  it('lacks a table that is new', async () => {
    await db.owner.query('create table visitor (id bigint, note text)')
    try {
      expect(await columnsWithText()).toContain('visitor.note')
    } finally {
      await db.owner.query('drop table visitor')
    }
  })
})
