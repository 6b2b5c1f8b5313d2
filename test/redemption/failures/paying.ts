import { attach, report } from '../../support/attach.ts'
import { signalPaymentOutcome } from '../../support/previous-api.ts'
import { CARD, type Case, outcomeOf } from './case.ts'

const DECLINED = '4000000000000002'

/** What happens between a discount and its payment. */
export const PAYING: Record<string, Case> = {
  'The card is declined': async (at) => {
    const { redemption } = await at.held()
    await at.pay(redemption, { card: DECLINED })
    return at.status(redemption, 'released')
  },

  'The payment is canceled': async (at) => {
    const { redemption } = await at.held()
    const payment = await at.pay(redemption)
    await at.shop.post(`/v1/payments/${payment.body.id}/cancel`)
    return at.status(redemption, 'released')
  },

  'No payment comes in time': async (at) => {
    const { redemption } = await at.held({ holdMs: 500 })
    return at.status(redemption, 'released')
  },

  'The member changes their mind': async (at) => {
    const { redemption } = await at.held()
    await at.ask(redemption, 'cancel')
    return at.status(redemption, 'released')
  },

  'The discount is used for a second payment': async (at) => {
    const { redemption } = await at.held()
    await at.pay(redemption)
    return outcomeOf(await at.pay(redemption))
  },

  "The discount is another member's": async (at) => {
    const { redemption } = await at.held()
    const metadata = { loyalty_account: 'loy_9f2k' }
    return outcomeOf(await at.pay(redemption, { metadata }))
  },

  'The discount is used after its time': async (at) => {
    const { redemption } = await at.held({ start: false, holdMs: -60_000 })
    return outcomeOf(await at.pay(redemption, { card: CARD }))
  },

  'The discount is in another currency': async (at) => {
    const { redemption } = await at.held()
    return outcomeOf(await at.pay(redemption, { currency: 'NOK' }))
  },

  'It is canceled while its payment is processing': async (at) => {
    const { redemption } = await at.held()
    await attach(at.shop, redemption, 'processing')
    return outcomeOf(await at.ask(redemption, 'cancel'))
  },

  'It is canceled after it was applied': async (at) =>
    outcomeOf(await at.ask((await at.applied()).id, 'cancel')),

  'The payment completes after the release': async (at) => {
    const { redemption, account, reward, releasesAt } = await at.held()
    const payment = await attach(at.shop, redemption, 'requires_payment')
    await at.ask(redemption, 'cancel')
    // charged less than its amount: with the discount that was taken off it
    await report(at.shop, payment, 'completed', { amount_charged: 2_499 })
    const attached = { id: redemption, account, reward, expires_at: releasesAt }
    const ended = { id: payment, status: 'completed' }
    await signalPaymentOutcome(at.shop.engine, at.shop.workspace, attached, ended)
    return at.field(redemption, 'late_payment')
  },
}
