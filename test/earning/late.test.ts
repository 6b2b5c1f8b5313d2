import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../domain/ids.ts'
import { openShop, type Shop } from '../api/shop.ts'
import { earningIn } from './earn.ts'

let shop: Shop
let earning: ReturnType<typeof earningIn>
beforeAll(async () => {
  shop = await openShop()
  earning = earningIn(shop)
})
afterAll(async () => {
  expect(await shop.reconcile()).toEqual([])
  await shop.close()
})

const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS)
const cap = { points: 100, window: 'day' }

async function program(rule: object): Promise<string> {
  const { body } = await shop.post('/v1/loyalty/programs', { name: 'Late' })
  await earning.rule({ program: body.id, ...rule })
  return body.id
}
/** A provider's payment of EUR 100 that completed so many days ago, and is reported now. */
async function paidOn(customer: string, days: number): Promise<string> {
  const id = newId('pay')
  await earning.report('payment.completed', {
    id,
    amount: 10_000,
    currency: 'eur',
    customer,
    completed_at: daysAgo(days).toISOString(),
  })
  return id
}
const replay = (id: string) => shop.post(`/v1/payments/${id}/replay_award`)
const lateOf = async (inProgram: string) =>
  (await shop.get(`/v1/loyalty/programs/${inProgram}/reconciliation`)).body.mismatches.filter(
    ({ reason }: { reason: string }) => reason === 'came_late',
  )

describe('a payment from before the account was there', () => {
  test('counts towards the cap of the day that the account began', async () => {
    const of = await program({ cap })
    const customer = `cust_${newId('op')}`
    const payments = [
      await paidOn(customer, 3),
      await paidOn(customer, 2),
      await paidOn(customer, 1),
    ]
    const member = await earning.member({ program: of, customer })
    for (const id of payments) expect((await replay(id)).status).toBe(200)
    expect(await earning.balance(member.id)).toBe(100)
    await paidOn(customer, 0)
    expect(await earning.balance(member.id)).toBe(100)
  })

  test('waits its pending days from then', async () => {
    const of = await program({ pendingDays: 14 })
    const customer = `cust_${newId('op')}`
    const id = await paidOn(customer, 30)
    const member = await earning.member({ program: of, customer })
    await replay(id)
    expect(await earning.account(member.id)).toMatchObject({ balance: 0, pending_points: 100 })
  })

  test('does so too where it is what enrols', async () => {
    const of = await program({ cap, pendingDays: 0.5 })
    await shop.owner.query('update program set auto_enroll = true where id = $1', [of])
    const customer = `cust_${newId('op')}`
    for (const days of [5, 4, 3]) await paidOn(customer, days)
    await shop.owner.query('update program set auto_enroll = false where id = $1', [of])
    const { body } = await shop.get(`/v1/loyalty/accounts?customer=${customer}&program=${of}`)
    expect(body.data).toMatchObject([{ balance: 0, pending_points: 100 }])
  })
})

describe('a payment of a member’s that comes late', () => {
  test('counts by its own day, and the reports mark it', async () => {
    const of = await program({ cap })
    const member = await earning.member({ program: of })
    await shop.owner.query('update account set created_at = $2 where id = $1', [
      member.id,
      daysAgo(10),
    ])
    const late = [await paidOn(member.customer, 3), await paidOn(member.customer, 2)]
    const timely = await paidOn(member.customer, 0)
    expect(await earning.balance(member.id)).toBe(300)
    const lines = await lateOf(of)
    expect(lines.map(({ payment }: { payment: string }) => payment)).toEqual(late)
    expect(lines).not.toContainEqual(expect.objectContaining({ payment: timely }))
    expect(lines[0]).toMatchObject({ account: member.id, points: 100 })
  })
})
