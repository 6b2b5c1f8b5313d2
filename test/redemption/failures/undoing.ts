import { expect } from 'vitest'
import { newId } from '../../../domain/ids.ts'
import { eventsOf } from '../../support/redeem-item.ts'
import { type Case, outcomeOf, type Scene } from './case.ts'

const reverse = (at: Scene, id: string, more: object = {}) =>
  at.ask(id, 'reverse', { reason: 'item_returned', ...more })

/** What happens to items, and to what is undone. */
export const UNDOING: Record<string, Case> = {
  'The item is not shipped in time, `notify`': async (at) => {
    const { redemption } = await at.waiting(await at.item(), 500)
    await expect
      .poll(() => eventsOf(at.shop, redemption), { timeout: 20_000 })
      .toContain('fulfillment_overdue')
    return at.status(redemption, 'fulfillment_pending')
  },

  'The item is not shipped in time, `refund`': async (at) => {
    const reward = await at.item({ fulfillment: { onOverdue: 'refund' } })
    const { redemption } = await at.waiting(reward, 500)
    return at.status(redemption, 'reversed')
  },

  'The item is shipped twice': async (at) => {
    const { redemption } = await at.waiting(await at.item())
    await at.ask(redemption, 'fulfill')
    return outcomeOf(await at.ask(redemption, 'fulfill'))
  },

  'More is shipped than was redeemed': async (at) => {
    const { redemption } = await at.waiting(await at.item())
    return outcomeOf(await at.ask(redemption, 'fulfill', { quantity: 2 }))
  },

  'The item comes back': async (at) => {
    const { redemption } = await at.waiting(await at.item())
    await at.ask(redemption, 'fulfill')
    await reverse(at, redemption)
    return at.status(redemption, 'reversed')
  },

  'An applied discount is reversed': async (at) => {
    const { id } = await at.applied()
    await reverse(at, id)
    return at.status(id, 'reversed')
  },

  'The refund with it cannot be made': async (at) => {
    const { id, payment } = await at.applied()
    await at.shop.post('/v1/refunds', { payment })
    return outcomeOf(await reverse(at, id, { refund_payment: true }))
  },

  'It is reversed twice': async (at) => {
    const { id } = await at.applied()
    await reverse(at, id)
    return outcomeOf(await reverse(at, id))
  },

  'More is reversed than is left': async (at) => {
    const { id } = await at.applied()
    return outcomeOf(await reverse(at, id, { points: 501 }))
  },

  'The points had expired meanwhile, `restore`': (at) => afterTheirDate(at, 'restore'),
  'The points had expired meanwhile, `extend`': (at) => afterTheirDate(at, 'extend'),

  'The account was closed meanwhile': async (at) => {
    const { id } = await at.applied()
    await at.shop.post(`/v1/loyalty/accounts/${at.member}/close`)
    await reverse(at, id)
    return at.status(id, 'reversed')
  },
}

/** All the member's points expire in a week, and are spent today; the item comes back in a month. */
async function afterTheirDate(at: Scene, expiredReturn: 'restore' | 'extend') {
  const { shop, member } = at
  await shop.patch('/v1/loyalty/programs/prog_default', { redemption: { expiredReturn } })
  await shop.owner.query(
    `update lot set expires_at = now() + interval '7 days' where workspace = $1 and account = $2`,
    [shop.workspace, member],
  )
  await shop.owner.query(
    `update account set lots_due_from = now() + interval '7 days', expiry_wake_at = now() + interval '7 days'
     where workspace = $1 and id = $2`,
    [shop.workspace, member],
  )
  const { redemption } = await at.waiting(await at.item({ cost: 1_000 }))
  await at.shop.commands.reverseRedemption({
    workspace: shop.workspace,
    redemption,
    reason: 'item_returned',
    operation: newId('op'),
    fingerprint: '',
    at: new Date(Date.now() + 30 * 86_400_000).toISOString(),
  })
  return at.status(redemption, 'reversed')
}
