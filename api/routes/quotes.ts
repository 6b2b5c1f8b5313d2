import { z } from 'zod'
import { type Eligibility, readEligibility, reasonsOf, withoutFields } from '../../app/quotes.ts'
import { missing } from '../../app/refusals.ts'
import { invalidParam } from '../../domain/ledger-refusal.ts'
import { pointsOf } from '../../domain/points.ts'
import { Refused, refuse } from '../../domain/refusal.ts'
import { waitsForAPayment } from '../../domain/reward.ts'
import { Quote, QuoteRequest, ShopQuote } from '../schemas/quotes.ts'
import { endpoint } from '../server/endpoint.ts'

export const createQuote = endpoint({
  method: 'POST',
  path: '/v1/loyalty/quotes',
  summary: 'Ask what a redemption would do',
  description:
    "Nothing is written, and nothing is held. A publishable key asks for a quantity of 1 of a reward that is on sale, and is told whether it is affordable, without a number of anybody's points; it may ask, of the catalogue and by quotes, 60 times a minute about one account.",
  tags: ['redemptions'],
  scope: 'redemptions:read',
  key: 'publishable',
  body: QuoteRequest,
  reply: z.union([Quote, ShopQuote]),
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, publishable, body, deps }) => {
    if (publishable && body.quantity !== 1) {
      refuse('parameter_invalid', 'quantity: a publishable key asks for 1.', { param: 'quantity' })
    }
    const eligibility = await readEligibility(deps, workspace, body)
    if (publishable) {
      await deps.shopperQuestions.take(`${workspace} ${eligibility.account}`)
      refuseOffSale(eligibility, body.reward)
    }
    const {
      decimals,
      points,
      available,
      reward_type,
      hold_minutes,
      invalid_param: param,
    } = eligibility
    if (param !== null) throw new Refused(invalidParam(param))
    const reasons = reasonsOf(eligibility)
    const numbers = {
      available: pointsOf(available, decimals),
      missing: pointsOf(Math.max(0, points - available), decimals),
    }
    return {
      status: 'ok',
      object: {
        object: 'quote' as const,
        ...body,
        reward_type,
        affordable: reasons.length === 0,
        points: pointsOf(points, decimals),
        ...(publishable ? {} : numbers),
        reasons: publishable ? withoutFields(reasons) : reasons,
        ...artifactOf(eligibility, body.quantity),
        hold_minutes: waitsForAPayment(reward_type) ? hold_minutes : null,
        livemode,
      },
    }
  },
})

const OFF_SALE: readonly string[] = ['reward_inactive', 'reward_not_started', 'reward_ended']

/** 404 for a reward that the catalogue does not show to shoppers. */
function refuseOffSale({ refusals }: Eligibility, reward: string): void {
  if (refusals.some(({ code }) => OFF_SALE.includes(code))) missing('reward', reward)
}

type Money = { amount: number; currency: string }
type Percentage = { percent: number; maxAmount?: number; currency?: string }

function artifactOf({ reward_type, value }: Eligibility, quantity: number) {
  const stored: unknown = value // the reward's value, which fitted its type when it was written
  switch (reward_type) {
    case 'discount_amount':
      return { discount: times(stored as Money, quantity) }
    case 'discount_percent':
      return { discount: stored as Percentage }
    case 'store_credit':
      return { credit: times(stored as Money, quantity) }
    case 'free_product':
    case 'gift_card':
    case 'partner':
      return {}
  }
}

function times({ amount, currency }: Money, quantity: number): Money {
  return { amount: amount * quantity, currency }
}
