import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fulfillmentActivities } from '../../../activities/fulfillment.ts'
import { redemptionActivities } from '../../../activities/redemption.ts'
import { fulfillmentCommands } from '../../../app/fulfillments.ts'
import { redemptionCommands } from '../../../app/redemptions.ts'
import { retryOnConflict } from '../../../app/retry-on-conflict.ts'
import type { RedemptionRow } from '../../../db/redemptions.ts'
import type { RedemptionResult } from '../../../db/results/redemption.ts'
import { readRedemption } from '../../../db/snapshot.ts'
import { seedWorkspace } from '../../../dev/demo.ts'
import { newId } from '../../../domain/ids.ts'
import type { RedemptionFacts } from '../../../domain/redemption-summary.ts'
import { attach } from '../../support/attach.ts'
import { type TestDatabase, testDatabase } from '../../support/database.ts'
import type { House } from '../../support/house.ts'

// Nobody sends what is written here: what a command leaves in the outbox is there to be read.
const workspace = newId('ws')
let db: TestDatabase
let keys: House['keys']
let commands: ReturnType<typeof redemptionCommands> & ReturnType<typeof fulfillmentCommands>
let activities: ReturnType<typeof redemptionActivities> & ReturnType<typeof fulfillmentActivities>

beforeAll(async () => {
  db = await testDatabase()
  keys = await seedWorkspace(db.pool, workspace, 'Test shop')
  commands = {
    ...redemptionCommands({ pool: db.pool }),
    ...fulfillmentCommands({ pool: db.pool }),
  }
  activities = {
    ...redemptionActivities({ pool: db.pool }),
    ...fulfillmentActivities({ pool: db.pool }),
  }
  await db.owner.query('update reward set cost = 1') // so that points are no matter
  await db.owner.query(
    `insert into reward (workspace, id, program, name, type, cost, value)
     values ($1, 'rwd_credit', 'prog_default', 'Credit', 'store_credit', 1, '{"amount": 1, "currency": "EUR"}')`,
    [workspace],
  )
})
afterAll(async () => {
  expect(await db.reconcile()).toEqual([])
  await db.drop()
})
beforeEach(() => db.owner.query('delete from workflow_outbox'))

const create = (more: Partial<Parameters<typeof commands.createRedemption>[0]> = {}) =>
  commands.createRedemption({
    workspace,
    redemption: newId('rdm'),
    account: 'loy_9f2k',
    reward: 'rwd_fivecredit',
    quantity: 1,
    holdMinutes: 30,
    code: newId('op'),
    fingerprint: 'test',
    shipping: null,
    metadata: {},
    ...more,
  })
const rowIn = ({ redemption }: RedemptionResult): RedemptionRow => {
  if (redemption === undefined) throw new Error('no redemption')
  return readRedemption(redemption)
}
const command = (redemption: string) => ({
  workspace,
  redemption,
  operation: newId('op'),
  fingerprint: 'test',
  at: null,
})
const parcel = { tracking: 'T1', carrier: 'GLS' }

type Row = {
  type: string
  input: object
  start_at: Date | null
  facts: RedemptionFacts
  change: string
  revision: number
}
async function outbox(id: string): Promise<Row | undefined> {
  const { rows } = await db.owner.query<Row>(
    `select workflow_type as type, input, start_at, facts, change, revision from workflow_outbox where workflow_id = $1`,
    [id],
  )
  return rows[0]
}
async function stored(id: string): Promise<RedemptionRow> {
  const { rows } = await db.owner.query('select to_jsonb(d) as d from redemption d where id = $1', [
    id,
  ])
  return readRedemption(rows[0].d)
}

/** What a workflow is signalled of a row, as domain/redemption-summary.ts has it. */
function factsOf(row: RedemptionRow, paymentStatus: string | null): RedemptionFacts {
  const { status, payment, reason, expiresAt, latePayment, fulfillment, overdueAt } = row
  return {
    status,
    payment,
    paymentStatus,
    reason,
    expiresAt: expiresAt?.toISOString() ?? null,
    late: latePayment?.outcome ?? null,
    ...(fulfillment && {
      fulfillment: {
        items: fulfillment.quantity,
        shipped: fulfillment.shipped ?? 0,
        canceled: fulfillment.canceled ?? 0,
        parcel: [fulfillment.carrier, fulfillment.tracking].filter(Boolean).join(' ') || null,
        refunds: fulfillment.on_overdue === 'refund',
        notices: fulfillment.overdue_notices ?? 0,
        nextAt: overdueAt?.toISOString() ?? null,
      },
    }),
  }
}

describe('a redemption that is created', () => {
  test('and waits for its payment writes a new run, which has something to do when the points return', async () => {
    const row = rowIn(await create())
    const { id, account, reward, expiresAt, createdAt, revision } = row
    expect((expiresAt?.getTime() ?? 0) - createdAt.getTime()).toBe(30 * 60_000)
    expect(await outbox(id)).toEqual({
      type: 'redemption',
      input: { workspace, redemption: id, account, reward, releasesAt: expiresAt?.toISOString() },
      start_at: expiresAt,
      facts: factsOf(row, null),
      change: 'new',
      revision,
    })
  })

  test('and is to be shipped writes one that has something to do at the deadline', async () => {
    const row = rowIn(await create({ reward: 'rwd_totebag' }))
    const { id, account, reward, overdueAt, revision } = row
    expect(await outbox(id)).toEqual({
      type: 'fulfillment',
      input: { workspace, redemption: id, account, reward, deadline: overdueAt?.toISOString() },
      start_at: overdueAt,
      facts: factsOf(row, null),
      change: 'new',
      revision,
    })
  })

  test('and is fulfilled at once writes nothing, nor does one that is refused', async () => {
    await create({ reward: 'rwd_credit' })
    expect((await create({ quantity: 100_000 })).outcome).toBe('refused')
    expect((await db.owner.query('select from workflow_outbox')).rowCount).toBe(0)
  })
})

describe('a redemption that waits', () => {
  type End = (id: string) => Promise<unknown>
  const ENDS: [string, string, End, string | null][] = [
    [
      'canceled',
      'rwd_fivecredit',
      (id) => commands.cancelRedemption({ ...command(id), reason: 'r' }),
      null,
    ],
    ['confirmed', 'rwd_fivecredit', (id) => commands.confirmRedemption(command(id)), null],
    [
      'reversed',
      'rwd_fivecredit',
      (id) => commands.reverseRedemption({ ...command(id), reason: 'r' }),
      null,
    ],
    [
      'shipped',
      'rwd_totebag',
      (id) => commands.fulfillRedemption({ ...command(id), ...parcel }),
      null,
    ],
    [
      'returned before it is shipped',
      'rwd_totebag',
      (id) => commands.reverseRedemption({ ...command(id), reason: 'r' }),
      null,
    ],
    [
      'given up by an operator',
      'rwd_totebag',
      (id) =>
        activities.cancelFulfillment({ ...command(id), reason: 'r', at: new Date().toISOString() }),
      null,
    ],
    [
      'applied by its payment',
      'rwd_fivecredit',
      async (id) => {
        const payment = await attach({ ...db, workspace, keys } as House, id, 'completed')
        await activities.applyRedemption({
          workspace,
          redemption: id,
          payment,
          at: new Date().toISOString(),
        })
      },
      'completed',
    ],
    [
      'released by its payment',
      'rwd_fivecredit',
      async (id) => {
        const payment = await attach({ ...db, workspace, keys } as House, id, 'failed')
        const about = { workspace, redemption: id, payment, reason: 'payment_failed' }
        await activities.releaseFailedRedemption({ ...about, at: new Date().toISOString() })
      },
      'failed',
    ],
  ]
  test.for(ENDS)(
    'and is %s writes that it has ended, with what its row says',
    async ([, reward, end, paymentStatus]) => {
      const { id, revision: before } = rowIn(await create({ reward }))
      const started = await outbox(id)
      await db.owner.query('delete from workflow_outbox')
      await end(id)
      const row = await stored(id)
      expect(row.revision).toBeGreaterThan(before)
      const rows = await outbox(id)
      expect(rows).toEqual({
        ...started,
        start_at: null,
        facts: factsOf(row, paymentStatus),
        change: 'ended',
        revision: row.revision,
      })
    },
  )

  test('writes nothing where it goes on waiting: longer, attached, or for the rest of its parcels', async () => {
    const [held, item] = [
      rowIn(await create()).id,
      rowIn(await create({ reward: 'rwd_totebag', quantity: 2 })).id,
    ]
    const attached = rowIn(await create()).id
    await db.owner.query('delete from workflow_outbox')
    await commands.extendRedemption({ ...command(held), minutes: 5 })
    await commands.fulfillRedemption({ ...command(item), ...parcel, quantity: 1 })
    await attach({ ...db, workspace, keys } as House, attached, 'requires_payment')
    for (const id of [held, item, attached]) expect(await outbox(id)).toBeUndefined()
  })
})

test('what has ended begins no second run: neither a reversal nor a refused command writes anything', async () => {
  const { id } = rowIn(await create())
  await commands.confirmRedemption(command(id))
  await db.owner.query('delete from workflow_outbox')
  expect((await commands.cancelRedemption({ ...command(id), reason: 'r' })).outcome).toBe('refused')
  expect((await commands.reverseRedemption({ ...command(id), reason: 'r' })).outcome).toBe(
    'reversed',
  )
  expect(await outbox(id)).toBeUndefined()
})

test('two at once with one id and different accounts: one is stored, the other finds it', async () => {
  for (let round = 0; round < 10; round++) {
    const redemption = newId('rdm')
    const results = await Promise.all(
      ['loy_8sd2k1', 'loy_abc123'].map((account) =>
        retryOnConflict(() =>
          create({ redemption, account, fingerprint: account, reward: 'rwd_credit' }),
        ),
      ),
    )
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['created', 'exists'])
    expect(new Set(results.map((result) => rowIn(result).account)).size).toBe(1)
  }
})

test('a clock more than a minute ahead of the database’s releases nothing, and reports no item overdue', async () => {
  const dueAt = new Date(Date.now() + 90_000).toISOString()
  const ahead = new Date(Date.now() + 120_000).toISOString()
  const held = rowIn(await create({ dueAt })).id
  const item = rowIn(await create({ reward: 'rwd_totebag', dueAt })).id
  const due = { workspace, at: ahead }
  expect(await activities.releaseDueRedemption({ ...due, redemption: held })).toMatchObject({
    outcome: 'not_due',
  })
  expect(await activities.actOnOverdueFulfillment({ ...due, redemption: item })).toMatchObject({
    outcome: 'not_due',
  })
  expect((await stored(held)).status).toBe('pending')
})

test('what is due at a millisecond is released by a clock that shows it', async () => {
  const dueAt = new Date(Date.now() - 1).toISOString()
  const { id, expiresAt } = rowIn(await create({ dueAt }))
  const at = expiresAt?.toISOString() ?? ''
  expect(await activities.releaseDueRedemption({ workspace, redemption: id, at })).toMatchObject({
    outcome: 'released',
  })
})
