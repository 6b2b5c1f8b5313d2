import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../support/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.drop())

test('a key’s claim leaves the transaction’s own limit of waiting for locks as it was', async () => {
  const client = await db.owner.connect()
  try {
    await client.query('begin')
    await client.query(`set local lock_timeout = '7s'; set local vinr.workspace = 'ws_1'`)
    const claim = `select ledger.idempotency_claim('ws_1', 'POST /x', 'k', 'f', 'r', now())`
    await client.query(claim)
    await client.query(claim) // found, which is another way out of the function
    const { rows } = await client.query('show lock_timeout')
    expect(rows).toEqual([{ lock_timeout: '7s' }])
  } finally {
    await client.query('rollback')
    client.release()
  }
})
