import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { attach } from '../support/attach.ts'
import { type House, openHouse } from '../support/house.ts'
import { balanceOf, redeem, redemptionOf } from '../support/redeem.ts'

let house: House

beforeAll(async () => {
  house = await openHouse({ worker: false })
})
afterAll(() => house.close())

const HOLD_MS = 60_000 // longer than it takes to attach on any machine; the deadline passes by parameter

const pastTheDeadline = () => new Date(Date.now() + 2 * HOLD_MS).toISOString()

const TERMINAL_EVENTS = [
  'loyalty.redemption.applied',
  'loyalty.redemption.released',
  'loyalty.redemption.reversed',
]

/** Every way to end a redemption whose payment has completed and whose deadline has passed, at once. */
function settleEveryWay(redemption: string, payment: string): Promise<unknown>[] {
  const who = { workspace: house.workspace, redemption, at: pastTheDeadline() }
  const operation = () => ({ operation: newId('op'), fingerprint: 'test' })
  const { activities } = house
  return [
    activities.applyRedemption({ ...who, payment }),
    activities.releaseDueRedemption(who),
    activities.cancelRedemption({ ...who, ...operation(), reason: 'canceled' }),
    activities.releaseFailedRedemption({ ...who, payment, reason: 'payment_failed' }),
    activities.applyRedemption({ ...who, payment }),
    activities.releaseDueRedemption(who),
  ]
}

test.for(['requires_payment', 'failed', 'completed'] as const)(
  'settle against deadline against cancel, all at once, beside a payment that is %s: one outcome, once, and the books hold',
  async (status) => {
    const before = await balanceOf(house)
    const outcomes: string[] = []
    for (let round = 0; round < 8; round++) {
      const { redemption } = await redeem(house, { arm: false, holdMs: HOLD_MS })
      const payment = await attach(house, redemption, status)
      await Promise.all(settleEveryWay(redemption, payment).sort(() => Math.random() - 0.5))
      await house.activities.releaseDueRedemption({
        workspace: house.workspace,
        redemption,
        at: pastTheDeadline(),
      })
      outcomes.push((await redemptionOf(house, redemption)).status)
      const { rows } = await house.owner.query(
        'select count(*)::int as n from event where object = $1 and type = any($2)',
        [redemption, TERMINAL_EVENTS],
      )
      expect(rows[0].n).toBe(1)
    }
    const applied = outcomes.filter((outcome) => outcome === 'applied').length
    expect(outcomes.every((outcome) => outcome === 'applied' || outcome === 'released')).toBe(true)
    if (status === 'completed') expect(applied).toBe(8)
    else expect(applied).toBe(0)
    expect(await balanceOf(house)).toBe(before - applied * 500)
    expect(await house.reconcile()).toEqual([])
  },
)
