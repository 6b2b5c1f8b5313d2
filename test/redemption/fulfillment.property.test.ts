import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { type House, openHouse } from '../support/house.ts'
import { Runs } from '../support/property.ts'
import { redemptionOf } from '../support/redeem.ts'
import { itemReward, redeemItem } from '../support/redeem-item.ts'

let house: House
beforeAll(async () => {
  house = await openHouse({ worker: false })
})
afterAll(async () => {
  expect(await house.reconcile()).toEqual([])
  await house.close()
})

const OPENING = 100_000
const STOCK = 1_000
const DAY_MS = 86_400_000

type Step =
  | { do: 'ship'; quantity: number | undefined }
  | { do: 'reverse'; quantity?: number; points?: number }
  | { do: 'overdue'; days: number }
  | { do: 'give up' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('ship' as const),
    quantity: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  }),
  fc.record({ do: fc.constant('reverse' as const), quantity: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('reverse' as const), points: fc.integer({ min: 1, max: 150 }) }),
  fc.record({ do: fc.constant('overdue' as const), days: fc.integer({ min: 0, max: 9 }) }),
  fc.constant({ do: 'give up' as const }),
)

/** Two steps at once, each sent twice under one operation, as a retried local activity is. */
const round = fc.array(step, { minLength: 1, maxLength: 2 })

async function take(redemption: string, one: Step): Promise<void> {
  const { commands, workspace } = house
  const about = { workspace, redemption, at: new Date().toISOString() }
  const asked = { ...about, operation: newId('op'), fingerprint: '' }
  const send = async (): Promise<unknown> => {
    if (one.do === 'ship') {
      const parcel = { tracking: null, carrier: null, quantity: one.quantity }
      return commands.fulfillRedemption({ ...asked, ...parcel })
    }
    if (one.do === 'give up') return commands.cancelFulfillment({ ...asked, reason: 'test' })
    if (one.do === 'overdue') {
      const at = new Date(Date.now() + one.days * DAY_MS).toISOString()
      return commands.actOnOverdueFulfillment({ ...about, at })
    }
    const { quantity, points } = one
    return commands.reverseRedemption({ ...asked, reason: 'test', quantity, points })
  }
  await Promise.all([send(), send()])
}

test('whatever happens to an item, in any order, twice and at once: points, stock and items add up', async () => {
  const runs = new Runs({ withinMs: 90_000, least: 20, usual: 80 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('notify' as const, 'refund' as const),
      runs.of(async (rounds, quantity, perReward, onOverdue) => {
        const account = newId('loy')
        await house.owner.query(
          `insert into account (workspace, id, program) values ($1, $2, 'prog_default')`,
          [house.workspace, account],
        )
        await house.commands.postTransaction({
          workspace: house.workspace,
          account,
          type: 'adjust',
          amount: OPENING,
          reason: 'test',
          operation: newId('op'),
          fingerprint: '',
          at: new Date().toISOString(),
          expiresAt: null,
          batch: null,
          source: null,
          metadata: {},
          allowNegative: false,
        })
        const value = { quantity: perReward }
        const reward = await itemReward(house, { value, onOverdue, inventory: STOCK })
        const asked = { account, reward, quantity, deadlineMs: 4 * DAY_MS, start: false }
        const { redemption } = await redeemItem(house, asked)
        for (const steps of rounds) await Promise.all(steps.map((one) => take(redemption, one)))

        const row = await redemptionOf(house, redemption)
        const { rows } = await house.owner.query<{ balance: number; inventory: number }>(
          `select a.balance, r.inventory from account a, reward r
           where a.workspace = $1 and a.id = $2 and r.workspace = $1 and r.id = $3`,
          [house.workspace, account, reward],
        )
        expect(rows[0]).toEqual({
          balance: OPENING - row.points + row.reversedPoints,
          inventory: STOCK - row.quantity + row.reversedQuantity,
        })
        const { shipped = 0, canceled = 0, quantity: items = 0 } = row.fulfillment ?? {}
        expect(items).toBe(quantity * perReward)
        expect(shipped + canceled).toBeLessThanOrEqual(items)
        expect(row.status === 'fulfillment_pending').toBe(row.overdueAt !== null)
        if (row.status === 'fulfilled') expect(shipped + canceled).toBe(items)
      }),
    ),
    { numRuns: runs.numRuns },
  )
}, 240_000)
