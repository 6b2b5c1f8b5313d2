import { pointsOf } from '../../domain/points.ts'
import { waitsForAPayment } from '../../domain/reward.ts'
import { endpoint } from '../endpoint.ts'
import { Quote } from '../objects/quote.ts'
import { QuoteRequest } from '../objects/redemption.ts'
import { type Judged, judge, reasonsOf, refuseNonsense } from '../redemptions/judge.ts'

export const createQuote = endpoint({
  method: 'POST',
  path: '/v1/loyalty/quotes',
  summary: 'Ask what a redemption would do',
  description: 'Nothing is written, and nothing is held.',
  tags: ['redemptions'],
  key: 'publishable',
  body: QuoteRequest,
  reply: Quote,
  errors: ['resource_missing'],
  handle: async ({ workspace, livemode, body, deps }) => {
    const judged = await judge(deps, workspace, body)
    refuseNonsense(judged, body)
    const { decimals, points, available, reward_type, hold_minutes } = judged
    const reasons = reasonsOf(judged)
    return {
      status: 'ok',
      object: {
        object: 'quote' as const,
        ...body,
        reward_type,
        affordable: reasons.length === 0,
        points: pointsOf(points, decimals),
        available: pointsOf(available, decimals),
        missing: pointsOf(Math.max(0, points - available), decimals),
        reasons,
        ...artifactOf(judged, body.quantity),
        hold_minutes: waitsForAPayment(reward_type) ? hold_minutes : null,
        livemode,
      },
    }
  },
})

type Money = { amount: number; currency: string }
type Percentage = { percent: number; maxAmount?: number; currency?: string }

function artifactOf({ reward_type, value }: Judged, quantity: number) {
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
