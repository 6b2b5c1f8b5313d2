import { WORKFLOW } from '../../../temporal/names.ts'
import { redeemItem } from '../../support/redeem-item.ts'
import { begin, type Outcomes } from './outcome.ts'

export const reconcilerOutcomes: Outcomes = {
  'net with an overdue fulfillment': async (house) => {
    await redeemItem(house, { start: false, deadlineMs: -600_000 })
    return begin(house, WORKFLOW.reconciler)
  },
  'net with nothing to mend': async (house) => {
    return begin(house, WORKFLOW.reconciler)
  },
}
