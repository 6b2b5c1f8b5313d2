import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { attach, type PaymentState } from '../support/attach.ts'
import { type House, openHouse } from '../support/house.ts'
import { balanceOf, redeem, redemptionOf } from '../support/redeem.ts'

/** Where a redemption stands: its own state, or pending beside a payment in some state. */
type State =
  | 'pending'
  | 'overdue'
  | 'applied'
  | 'released'
  | 'reversed'
  | `attached to ${PaymentState}`
type Message =
  | 'completed'
  | 'failed'
  | 'failed elsewhere'
  | 'cancel'
  | 'extend'
  | 'reverse'
  | 'deadline'

/** state, message, the status after it, and the answer. */
const TABLE: [State, Message, string, string][] = [
  ['pending', 'completed', 'pending', 'not_attached'],
  ['pending', 'failed', 'pending', 'not_attached'],
  ['pending', 'cancel', 'released', 'released'],
  ['pending', 'extend', 'pending', 'extended'],
  ['pending', 'reverse', 'reversed', 'reversed'],
  ['pending', 'deadline', 'pending', 'not_due'],
  ['overdue', 'deadline', 'released', 'released'],
  ['overdue', 'cancel', 'released', 'released'],
  ['overdue', 'extend', 'pending', 'extended'],
  ['attached to requires_payment', 'completed', 'pending', 'not_attached'],
  ['attached to requires_payment', 'failed elsewhere', 'pending', 'not_attached'],
  ['attached to requires_payment', 'cancel', 'released', 'released'],
  ['attached to requires_payment', 'reverse', 'reversed', 'reversed'],
  ['attached to requires_payment', 'deadline', 'pending', 'not_due'],
  ['attached to processing', 'cancel', 'pending', 'refused: payment_processing'],
  ['attached to processing', 'reverse', 'pending', 'refused: payment_processing'],
  ['attached to processing', 'extend', 'pending', 'extended'],
  ['attached to failed', 'failed', 'released', 'released'],
  ['attached to canceled', 'failed', 'released', 'released'],
  ['attached to expired', 'failed', 'released', 'released'],
  ['attached to failed', 'cancel', 'released', 'released'],
  ['attached to completed', 'completed', 'applied', 'applied'],
  ['attached to completed', 'failed', 'applied', 'applied'],
  ['attached to completed', 'cancel', 'applied', 'refused: redemption_already_settled'],
  ['attached to completed', 'reverse', 'reversed', 'reversed'],
  ['applied', 'completed', 'applied', 'settled'],
  ['applied', 'failed', 'applied', 'settled'],
  ['applied', 'cancel', 'applied', 'refused: redemption_already_settled'],
  ['applied', 'extend', 'applied', 'refused: redemption_already_settled'],
  ['applied', 'reverse', 'reversed', 'reversed'],
  ['applied', 'deadline', 'applied', 'settled'],
  ['released', 'completed', 'released', 'settled'],
  ['released', 'failed', 'released', 'settled'],
  ['released', 'cancel', 'released', 'refused: redemption_already_settled'],
  ['released', 'extend', 'released', 'refused: redemption_already_settled'],
  ['released', 'reverse', 'released', 'refused: redemption_already_settled'],
  ['released', 'deadline', 'released', 'settled'],
  ['reversed', 'completed', 'reversed', 'settled'],
  ['reversed', 'failed', 'reversed', 'settled'],
  ['reversed', 'cancel', 'reversed', 'refused: redemption_already_settled'],
  ['reversed', 'extend', 'reversed', 'refused: redemption_already_settled'],
  ['reversed', 'reverse', 'reversed', 'refused: redemption_already_settled'],
  ['reversed', 'deadline', 'reversed', 'settled'],
]

const RETURNED = ['released', 'reversed']

let house: House

beforeAll(async () => {
  house = await openHouse({ worker: false })
})
afterAll(() => house.close())

describe('a redemption that is', () => {
  test.for(TABLE)(
    '%s and hears %s is %s, answered %s',
    async ([state, message, status, answer]) => {
      const before = await balanceOf(house)
      const subject = await bringTo(state)
      const { outcome, refusal } = await say(message, subject)
      expect(refusal ? `refused: ${refusal.code}` : outcome).toBe(answer)
      expect(await redemptionOf(house, subject.redemption)).toMatchObject({ status })
      expect(await balanceOf(house)).toBe(RETURNED.includes(status) ? before : before - 500)
      expect(await house.reconcile()).toEqual([])
      await restore(subject.redemption, before)
    },
  )
})

type Subject = { redemption: string; payment: string }

async function bringTo(state: State): Promise<Subject> {
  const { redemption } = await redeem(house, {
    start: false,
    holdMs: state === 'overdue' ? -1_000 : 1_800_000,
  })
  const who = { workspace: house.workspace, redemption, at: new Date().toISOString() }
  if (state.startsWith('attached to ')) {
    return {
      redemption,
      payment: await attach(house, redemption, state.slice('attached to '.length) as PaymentState),
    }
  }
  if (state === 'applied') {
    const payment = await attach(house, redemption, 'completed')
    await house.commands.applyRedemption({ ...who, payment })
    return { redemption, payment }
  }
  if (state === 'released')
    await house.commands.cancelRedemption({ ...who, ...operation(), reason: 'test' })
  if (state === 'reversed')
    await house.commands.reverseRedemption({ ...who, ...operation(), reason: 'test' })
  return { redemption, payment: newId('pay') }
}

function say(message: Message, { redemption, payment }: Subject) {
  const who = { workspace: house.workspace, redemption, at: new Date().toISOString() }
  switch (message) {
    case 'completed':
      return house.commands.applyRedemption({ ...who, payment })
    case 'failed':
      return house.commands.releaseFailedRedemption({ ...who, payment, reason: 'payment_failed' })
    case 'failed elsewhere':
      return house.commands.releaseFailedRedemption({
        ...who,
        payment: newId('pay'),
        reason: 'payment_failed',
      })
    case 'cancel':
      return house.commands.cancelRedemption({ ...who, ...operation(), reason: 'canceled' })
    case 'extend':
      return house.commands.extendRedemption({ ...who, ...operation(), minutes: 10 })
    case 'reverse':
      return house.commands.reverseRedemption({ ...who, ...operation(), reason: 'mistake' })
    case 'deadline':
      return house.commands.releaseDueRedemption(who)
  }
}

const operation = () => ({ operation: newId('op'), fingerprint: 'test' })

/** The next row of the table starts from the same balance. */
async function restore(redemption: string, balance: number): Promise<void> {
  if ((await balanceOf(house)) === balance) return
  const who = { workspace: house.workspace, redemption, at: new Date().toISOString() }
  const { refusal } = await house.commands.reverseRedemption({
    ...who,
    ...operation(),
    reason: 'restore',
  })
  if (!refusal) return
  await house.owner.query(`update payment set status = 'failed' where status = 'processing'`)
  await house.commands.reverseRedemption({ ...who, ...operation(), reason: 'restore' })
}
