import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { accountExpiryWorkflowId } from '../../temporal/names.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { hangingTemporal } from '../support/hanging-temporal.ts'
import { sendOutbox } from '../support/outbox.ts'
import { startedRun } from '../support/run.ts'

let temporal: Awaited<ReturnType<typeof hangingTemporal>>
let shop: Shop

beforeAll(async () => {
  temporal = await hangingTemporal(inject('temporalAddress'))
  shop = await openShop({ worker: false, connection: { address: temporal.address } })
})
afterAll(async () => {
  const broken = await shop.reconcile()
  await shop.close()
  await temporal.close()
  expect(broken).toEqual([])
})

const expiresAt = new Date(Date.now() + 86_400_000).toISOString()

async function members(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId('loy'))
  await shop.owner.query(
    `insert into account (workspace, id, program) select $1, unnest($2::text[]), 'prog_default'`,
    [shop.workspace, ids],
  )
  return ids
}

/** How long the request takes while nothing that is said to Temporal comes through. */
async function whileItHangs(path: string, body: object): Promise<number> {
  temporal.hang()
  try {
    const began = performance.now()
    expect((await shop.post(path, body)).status).toBe(201)
    return performance.now() - began
  } finally {
    temporal.goOn()
  }
}

const startsLater = async (account: string) => {
  const run = await startedRun(shop.engine, accountExpiryWorkflowId(shop.workspace, account))
  expect((await run.describe()).status.name).toBe('RUNNING')
}

// A call to Temporal has 3 s; whoever waited for one could not answer sooner.
const ONE_CALL_MS = 3_000

test('points with a date are credited at once while Temporal hangs, and the account’s run begins afterwards', async () => {
  const [account = ''] = await members(1)
  const credit = { account, amount: 10, reason: 'x', expires_at: expiresAt }
  expect(await whileItHangs('/v1/loyalty/transactions', credit)).toBeLessThan(ONE_CALL_MS)
  await sendOutbox(shop)
  await startsLater(account)
})

test('a thousand of them in one batch are, too: each account’s run begins afterwards', async () => {
  const accounts = await members(1_000)
  const transactions = accounts.map((account) => ({
    account,
    amount: 10,
    reason: 'x',
    expires_at: expiresAt,
  }))
  const took = await whileItHangs('/v1/loyalty/transactions/batch', { transactions })
  expect(took).toBeLessThan(30_000) // what ten calls that hang would not leave
  const { rows } = await shop.owner.query('select count(*)::int as n from workflow_outbox')
  expect(rows[0].n).toBeGreaterThanOrEqual(980) // all but those that its process had sent already
  await sendOutbox(shop)
  await startsLater(accounts[0] ?? '')
  await startsLater(accounts[999] ?? '')
})
